GRADSIM_ISA=avx3 gradsim --layers 3
