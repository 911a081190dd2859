refuse() { gradsim compare "$@" 2>&1 && echo "taken: $*" || echo "[$?]"; }
refuse --fail-on vanishing
refuse --save x.safetensors
refuse --seeds 0
refuse --act sigmiod
refuse --order act-dense --residual post-act
refuse --norm batch --batch 1
refuse --data missing.csv
refuse sigmoid
test ! -e x.safetensors
