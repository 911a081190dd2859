# Networks that could not be measured are in the table, with the reason.
gradsim sweep --layers 2 --norm none,batch --batch 1 --width 4 --seeds 2 -o a.csv 2> error
gradsim report a.csv -o a.html
grep -o '<p>2 config.*' a.html
grep -o '<td><span class="verdict [a-z]*' a.html
! grep 'No picture' a.html
gradsim report a.csv -o a.html --where norm==batch
grep -o 'No picture: .*\|<td>--.*' a.html
