gradsim --layers 96 --act sigmoid
