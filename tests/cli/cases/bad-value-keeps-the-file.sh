echo precious > log.csv
! gradsim -o log.csv --act sigmiod 2> /dev/null
! gradsim -o log.csv --norm batch --batch 1 2> /dev/null
! gradsim -o log.csv --data missing.csv 2> /dev/null
! gradsim -o log.csv --layers 1000000 --width 1000000 2> /dev/null
cat log.csv
