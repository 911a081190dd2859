gradsim theory --layers 3 --residual post-act --quiet
gradsim theory --layers 2 --norm batch --batch 3 --format csv | cut -d, -f1-7
gradsim --layers 2 --residual post-act --format csv --no-header | cut -d, -f32
