export GRADSIM=gradsim
# Where numbers have commas, if this system knows such a place.
LC_ALL=de_DE.UTF-8 sh "$ROOT/examples/claims.sh" > claims
awk 'length > 80' claims
grep -c ' ok$' claims
sed -n 's/^ \{1,2\}\([0-9]*\)  [^ ].*/\1/p' claims | tr '\n' ' '
tail -n 3 claims
