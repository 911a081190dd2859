timeout --version > /dev/null 2>&1 || { echo "timeout is not GNU's"; exit 77; }
timeout --preserve-status -k 5 -s TERM 1 gradsim --layers 40 --width 1024 --batch 1024 -q
