case ${VARIANT:-} in *san) echo "hundreds of networks take minutes under a sanitizer"; exit 77 ;; esac
GRADSIM=gradsim sh "$ROOT/examples/compare.sh" > compare.csv
gradsim plot compare.csv -o compare.svg
cmp compare.svg "$ROOT/examples/compare.svg"
# As README says.
sh -c "$(grep -F -e '-o sweep.csv' "$ROOT/README.md" | sed 's|^./||')"
gradsim plot sweep.csv -o sweep.svg
cmp sweep.svg "$ROOT/examples/sweep.svg"
