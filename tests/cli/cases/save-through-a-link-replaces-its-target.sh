# A save that fails must not harm what the link leads to.
mkdir there
echo precious > there/net.st
ln -s there/net.st link
(ulimit -f 1; gradsim --layers 4 -q --save link) 2> message || cat message there/net.st
gradsim --layers 4 -q --save link > /dev/null
test -L link
test "$(wc -c < there/net.st)" -gt 10000
ls -A there
