case ${VARIANT:-} in *san) echo "hundreds of networks take minutes under a sanitizer"; exit 77 ;; esac
gradsim compare --layers 96 --act sigmoid > page
grep '^  39 >as given .* vanishing$' page
grep -c ' healthy$' page
tail -n 7 page
awk 'length > 80' page
gradsim compare --seeds 2 --layers 20 --width 10 | awk 'length > 80'
