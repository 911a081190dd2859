# As where nobody reads what is to be saved. Two at once are one.
if ldd "$(command -v gradsim)" 2> /dev/null | grep -q libtsan; then
    echo 'the thread sanitizer holds signals back while a file is opened'
    exit 77
fi
mkfifo fifo
gradsim --layers 2 --width 8 --steps 1000000 --log-every 100 --save fifo -o log.csv &
until [ -s log.csv ]; do sleep 0.01; done
kill -TERM $!
kill -TERM $! || true
sleep 1.2
kill -TERM $!
status=0
{ wait $! || status=$?; } 2> killed
echo $status
