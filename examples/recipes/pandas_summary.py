#!/usr/bin/env python3
"""Decades from the last layer's gradient to the first's, their mean and standard deviation over the
networks of each configuration, by pandas:

    examples/recipes/pandas_summary.py sweep.csv [act,layers]
"""
import sys

import pandas

log = pandas.read_csv(sys.argv[1])
by = (sys.argv[2] if len(sys.argv) > 2 else "act,layers").split(",")

log = log[(log.kind == "dense") & (log.step == 0)]
of_network = log.groupby([*by, "run"], sort=False, dropna=False).grad_z_log10
decades = of_network.first() - of_network.last()
summary = decades.groupby(by, sort=False, dropna=False).agg(["count", "mean", "std"])
summary.columns = ["networks", "decades_mean", "decades_std"]
summary.to_csv(sys.stdout, float_format="%.4f")
