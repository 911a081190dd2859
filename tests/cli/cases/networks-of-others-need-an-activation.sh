# A plain MLP as PyTorch names it: two matrices, of zeros. Nothing in it says what stands between them.
header='{"0.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},'
header=$header'"2.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[16,32]}}'
{
    printf "\\$(printf '%03o' ${#header})\0\0\0\0\0\0\0%s" "$header"
    head -c 32 /dev/zero
} > net.safetensors
gradsim --load net.safetensors 2>&1 || echo "status $?"
gradsim --load net.safetensors --act relu --batch 2 | head -n 1
gradsim spectrum --load net.safetensors --act tanh --batch 2 | head -n 1
gradsim --load net.safetensors --act relu --layers 3 2>&1 || echo "status $?"
