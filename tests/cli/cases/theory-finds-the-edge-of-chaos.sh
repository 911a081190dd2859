gradsim theory --critical --act tanh --bias normal:0.223606797749979
gradsim theory --critical --act tanh --init scaled:1.304146
gradsim theory --critical --act relu
gradsim theory --critical --act relu --bias normal:1
gradsim theory --critical --act tanh --format csv | cut -d, -f1-6
