gradsim --layers 2 --width 8 --save net.safetensors -q > /dev/null
head -c 9 net.safetensors | tail -c 1
grep -q layers.2.weight.grad net.safetensors
