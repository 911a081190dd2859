export GRADSIM=gradsim
# With another right value; and with data that are not there.
mkdir data
cp "$ROOT/examples/data/digits.csv" data
sed "s/layer 1' 512 /layer 1' 513 /" "$ROOT/examples/claims.sh" > claims.sh
sh claims.sh > claims && echo held || echo "[$?]"
grep DIFFERS claims
tail -n 1 claims
MNIST=missing sh "$ROOT/examples/claims.sh" > claims 2> error && echo held || echo "[$?]"
cat error
