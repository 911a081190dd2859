export GRADSIM=gradsim
sh "$ROOT/examples/claims.sh" > claims
awk 'length > 80' claims
grep -c ' ok$' claims
sed -n 's/^ \{1,2\}\([0-9]*\)  [^ ].*/\1/p' claims | tr '\n' ' '
tail -n 3 claims
