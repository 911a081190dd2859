timeout --version > /dev/null 2>&1 || { echo "timeout is not GNU's"; exit 77; }
mkfifo endless
awk 'BEGIN {
    print "run,step,layer,point,points,error,layers,head"
    for (p = 1; p < 1e9; p++)
        print p ",0,1," p ",1000000000,,1,off"
}' > endless 2> /dev/null &
echo precious > out.csv
status=0
timeout --preserve-status -k 5 -s INT 0.5 gradsim merge endless -o out.csv || status=$?
echo $status
cat out.csv
ls -A
