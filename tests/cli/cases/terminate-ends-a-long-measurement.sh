timeout --version > /dev/null 2>&1 || { echo "timeout is not GNU's"; exit 77; }
timeout --preserve-status -k 5 -s TERM 1 gradsim --layers 3000 --width 256 --batch 4096 -q > /dev/null
