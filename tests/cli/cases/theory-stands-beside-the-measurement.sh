# The same numbers as the command's, and close to what is measured.
gradsim --layers 20 --act tanh --width 512 --batch 8 --format csv | cut -d, -f32 > beside
gradsim theory --layers 20 --act tanh --width 512 --batch 8 --format csv | cut -d, -f6 | cmp - beside
gradsim --layers 20 --act tanh --width 512 --batch 8 --format csv | tail -n +2 |
    awk -F, '{ d = $19 - $32; if (d < -0.1 || d > 0.1) print "layer " $4 " differs by " d }'
