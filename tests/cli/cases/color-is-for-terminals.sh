escape=$(printf '\033')
! gradsim --layers 3 --width 8 | grep -q "$escape"
gradsim --layers 3 --width 8 --color always | grep -q "$escape"
NO_COLOR=1 gradsim --layers 3 --width 8 --color always | grep -q "$escape"
! gradsim --layers 3 --width 8 --color never | grep -q "$escape"
