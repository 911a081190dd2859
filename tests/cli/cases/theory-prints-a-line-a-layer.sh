gradsim theory --layers 3 --act tanh --init scaled:1.3 --bias normal:0.2 --loss random --width 100
