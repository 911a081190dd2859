# And before the log is opened. A pipe is left alone, for its reader would see it end.
mkdir folder there
echo precious > log.csv
for bad in nowhere/x folder folder/ log.csv/x "$(printf '%0300d' 0)"; do
    gradsim --layers 2 --width 8 --steps 1000000000 --save-every 1000000000 -o log.csv \
        --save "$bad" 2>&1 | sed 's/0000*/0/'
done
cat log.csv
ls -A folder
ln -s there/net.st link
mkfifo fifo
cat fifo > read.st &
for good in net.st link fifo; do
    gradsim --layers 2 --width 8 --steps 1 -q -o log.csv --save $good
done
wait
cmp net.st there/net.st
cmp net.st read.st
ls -A there
