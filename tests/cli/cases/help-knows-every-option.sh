# Whatever page one says, there is a page two for it.
gradsim help | sed -n 's/^ *\(-., \)*--\([a-z0-9-]*\).*/\2/p' > options
test "$(wc -l < options)" -gt 30
while read -r option; do gradsim help "$option" | grep -q -e "--$option"; done < options
gradsim help | sed -n '/^Topics:/,$p' | tr -d ' \n' | sed 's/^Topics://; s/,andeveryoption//' |
    tr ',' '\n' > topics
test "$(wc -l < topics)" -gt 6
while read -r topic; do gradsim help "$topic" | grep -q .; done < topics
