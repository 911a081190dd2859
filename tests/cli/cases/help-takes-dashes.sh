gradsim help act > page
for name in --act -act --act; do gradsim help "$name" | cmp - page; done
gradsim help output > page
gradsim help -o | cmp - page
gradsim --help > page
gradsim help --help | cmp - page
gradsim help -h | cmp - page
gradsim help --version | cut -d' ' -f1
