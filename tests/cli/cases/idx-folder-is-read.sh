# Two images of two pixels, and a log that says so.
mkdir d
printf '\0\0\10\3\0\0\0\2\0\0\0\1\0\0\0\2\1\2\3\4' > d/train-images-idx3-ubyte
printf '\0\0\10\1\0\0\0\2\1\0' > d/train-labels-idx1-ubyte
gradsim --layers 2 --width 4 --batch 2 --data d --format jsonl | sed 's/.*"inputs"/"inputs"/; s/,"act".*//'
