for option in layers seed threads steps norm-eps; do gradsim help $option | tr '\n' ' '; echo; done
