remedies() { gradsim compare --layers 4 --width 16 --format tsv --no-header "$@" | cut -f 2; }
remedies --batch 1 | grep -iE 'batch norm|BN|ResNet' || echo 'batch 1: no batch norm'
remedies --order act-dense | grep 'before phi' || echo 'act-dense: nothing after the sum'
remedies --weights streamed | grep -E 'orthogonal|isometric' || echo 'streamed: no orthogonal weights'
remedies --act tanh --norm batch | grep -xE 'tanh|batch norm' || echo 'nothing that is there already'
remedies | grep -E 'LeCun init|Xavier init|no gain|no bias' || echo 'no other name for the same weights'
remedies --inputs 8 --init normal:3 --gain 2 --bias 1 | grep -E 'LeCun init|Xavier init|no gain|no bias' | sort
remedies --layers 3 --width 8-7-6 --inputs 5 | grep -iE 'residual|rezero' | grep -v LN || echo 'no skip between different widths'
