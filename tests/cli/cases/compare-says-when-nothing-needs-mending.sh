gradsim compare -q --layers 8 --width 32 --act tanh | sed 's/: 10.*//'
gradsim compare --layers 8 --width 32 --act tanh | grep -c '>as given .* healthy$'
