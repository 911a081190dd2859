"""Recomputes gradsim's runs in PyTorch: the loss, every gradient and every column of the log.

Each configuration runs as `gradsim OPTIONS --format csv -o LOG --save TENSORS`, and once more
without --save, when norms come from Gram matrices and no gradient is formed. The network is built
again from the saved weights and inputs (network.py), and every number is compared:

- a number agrees to a relative 1e-10 in f64 and 1e-4 in f32; an entry of a tensor, relative to the
  largest entry; log10 of a norm, as the norm itself; the largest singular value, which an iteration
  finds, to 1e-6;
- a number that rounding alone moves further than that, such as a sum that cancels, agrees to FLOOR
  times what rounding everything once more does to it (network.Rounding); their count is printed;
- a share of entries is exact, but for entries that lie within rounding of the border.

usage: GRADSIM=path/to/gradsim peer.py [-v] [COUNT]
"""

import csv
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
from collections import namedtuple

import numpy
import torch

import network
import options

SEED = 20170605
COUNT = 400
NOISY_RUNS = 3

# tiny: a slope, or the square of an example's gradient, may have become 0 below it. gram: rounding
# of a Gram matrix relative to its trace.
Precision = namedtuple("Precision", "eps tolerance tiny gram")
PRECISIONS = {
    "f64": Precision(2.0**-52, 1e-10, 1e-300, 1e-14),
    "f32": Precision(2.0**-23, 1e-4, 1e-37, 1e-5),
}
SIGMA_TOLERANCE = 1e-6
SHARE_TOLERANCE = 1e-14  # of printing 15 digits

INDEX = ["run", "seed", "step", "layer", "kind", "loss"]
MOMENTS = ["z_mean", "z_std", "a_mean", "a_std"]
SHARES = ["saturated", "zero", "dead", "f32_zero", "f16_zero", "bf16_zero"]
STATISTICS = """
    z_mean z_std a_mean a_std saturated zero dead w_norm w_sigma_max grad_w grad_w_log10
    grad_b_log10 grad_z_log10 weight_gain act_gain gain grad_ratio update_ratio clip_scale
    grad_clipped_log10 grad_snr grad_corr f32_zero f16_zero bf16_zero theory_grad_log10
    moved""".split()
# Of the whole step.
STEP = """
    accuracy test_loss test_accuracy lr grad_norm_log10 grad_norm_clipped_log10 clipped
    point points sweep error""".split()
ELSEWHERE = "theory_grad_log10", "moved"  # compared by make test-theory and training.py


# ---- What gradsim wrote ----

def read_safetensors(path):
    """An 8-byte length, a JSON header {name: {dtype, shape, data_offsets}}, and the raw values."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header, values = json.loads(content[8:8 + length]), content[8 + length:]
    header.pop("__metadata__", None)
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = entry["data_offsets"]
        if first != end:
            raise ValueError(f"{name} begins at {first}, not at {end}")
        end = last
        dtype = {"F64": "<f8", "F32": "<f4"}[entry["dtype"]]
        tensors[name] = numpy.frombuffer(values[first:last], dtype).reshape(entry["shape"])
    if end != len(values):
        raise ValueError(f"{len(values) - end} bytes after the last tensor")
    return tensors


def run(gradsim, arguments, folder):
    """The rows of the log."""
    log = os.path.join(folder, "log.csv")
    if os.path.exists(log):
        os.remove(log)
    command = [gradsim, *arguments, "--format", "csv", "-o", log]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode or done.stdout or done.stderr:
        raise ValueError(f"exit status {done.returncode}, stdout {done.stdout!r}, "
                         f"stderr {done.stderr!r}")
    with open(log, newline="") as file:
        return list(csv.DictReader(file))


def configuration_of(row):
    """The arguments that the columns of a row stand for."""
    columns = {name.replace("config_", ""): value for name, value in row.items()
               if name == "seed" or name not in INDEX + STATISTICS + STEP}
    return [f"--{name.replace('_', '-')}={value}" for name, value in columns.items() if value]


def check_index(config, rows):
    """One row a layer, in order, under the columns of the log."""
    header = list(rows[0])[:len(INDEX + STATISTICS + STEP)]
    if header != INDEX + STATISTICS + STEP:
        raise ValueError(f"the log has the columns {header}")
    if len(rows) != config.layers + config.head:
        raise ValueError(f"the log has {len(rows)} rows, not {config.layers + config.head}")
    for l, row in enumerate(rows, 1):
        kind = "head" if l > config.layers else "dense"
        index = ["1", str(config.seed), "0", str(l), kind, rows[0]["loss"]]
        if [row[name] for name in INDEX] != index:
            raise ValueError(f"row {l}: expected the indices {index}")


def check_tensors(config, tensors):
    """The file holds exactly the tensors that the configuration has, and the gradients."""
    shapes = config.shapes()
    shapes |= {name + ".grad": shape for name, shape in shapes.items()
               if name not in ("input", "target", "readout")}
    got = {name: list(value.shape) for name, value in tensors.items()}
    odd = sorted(name for name in got.keys() | shapes.keys() if got.get(name) != shapes.get(name))
    if odd:
        raise ValueError(f"tensor {odd[0]}: got shape {got.get(odd[0])}, "
                         f"expected {shapes.get(odd[0])}")
    dtype = {"f64": numpy.float64, "f32": numpy.float32}[config.dtype]
    if any(value.dtype != dtype for value in tensors.values()):
        raise ValueError(f"not every tensor is {config.dtype}")


class Data:
    """The rows of the data file, scaled, to look up what a run took from it."""

    def __init__(self):
        table = numpy.loadtxt(options.DATA, delimiter=",")
        raw, self.labels = table[:, :-1], table[:, -1].astype(int)
        spread = raw.std(0)
        self.scaled = {
            "none": raw,
            "unit": raw / numpy.abs(raw).max(),
            "standard": (raw - raw.mean(0)) / numpy.where(spread > 0, spread, numpy.inf),
        }

    def check(self, config, tensors):
        rows = self.scaled[config.options.get("data-scale", "standard")]
        tolerance = numpy.abs(rows).max() * {"f64": 1e-12, "f32": 1e-6}[config.dtype]
        distance = numpy.abs(tensors["input"][:, None, :].astype(float) - rows).max(2)
        match = distance <= tolerance  # [batch, rows]
        if not match.any(1).all():
            raise ValueError("an input is no row of the data")
        if "target" not in tensors:
            return
        target = tensors["target"]
        labels = target
        if config.loss == "mse":
            labels = target.argmax(1)
            if not (target == numpy.eye(config.outputs)[labels]).all():
                raise ValueError("a target is not one-hot")
        if not all(label in self.labels[row] for label, row in zip(labels, match)):
            raise ValueError("a label does not belong to its input")


# ---- Comparison ----

def number(text):
    return float(text) if text else math.nan


class Comparison:
    """One configuration: the reference, how far rounding moves it, and what disagrees."""

    def __init__(self, config, tensors):
        self.precision = PRECISIONS[config.dtype]
        saved = {name: value for name, value in tensors.items() if not name.endswith(".grad")}
        noisy = [network.Network(config, saved, self.precision.eps, seed)
                 for seed in range(NOISY_RUNS)]
        self.network = network.Network(config, saved)
        self.is_ill_posed = self.network.is_ill_posed(noisy)
        self.columns = network.Columns(self.network, self.precision, noisy)
        self.noisy = [(other, network.Columns(other, self.precision)) for other in noisy]
        self.compared = self.at_floor = 0
        self.wrong = []

    def judge(self, what, got, low, high, noise, tolerance):
        """`got` lies in [low, high] to the tolerance, or to FLOOR times the noise."""
        self.compared += 1
        miss = max(low - got, got - high, 0.0)
        if got in (low, high) or miss <= tolerance * max(abs(low), abs(high)):
            return
        if miss <= network.FLOOR * noise:
            self.at_floor += 1
            return
        expected = f"{low:.15g}" if low == high else f"{low:.15g} .. {high:.15g}"
        self.wrong.append(f"{what}: gradsim {got:.15g}, expected {expected}, off by {miss:.3g}, "
                          f"noise {noise:.3g}")

    def compare_loss(self, rows):
        loss = float(self.network.loss)
        noise = max(abs(float(noisy.loss) - loss) for noisy, _ in self.noisy)
        self.judge("loss", number(rows[0]["loss"]), loss, loss, noise, self.precision.tolerance)

    def compare_gradients(self, tensors):
        for name in self.network.parameters:
            expected = self.network.gradient(name)
            got = torch.tensor(tensors[name + ".grad"], dtype=torch.float64)
            noise = max(float((noisy.gradient(name) - expected).abs().max())
                        for noisy, _ in self.noisy)
            if self.precision is PRECISIONS["f32"]:  # what does not fit is 0 or inf in the file
                expected = expected.float().double()
                noise = max(noise, 2.0**-149)
            off = torch.where(got == expected, 0.0, (got - expected).abs()).nan_to_num(math.inf)
            size, entry = float(expected.abs().max()), int(off.argmax())
            self.compared += expected.numel() - 1
            self.judge(f"{name}.grad, entry {entry}, off from the largest entry",
                       size + float(off.flatten()[entry]), size, size, noise,
                       self.precision.tolerance)

    def compare_rows(self, rows, run):
        for l, row in enumerate(rows):
            expected = self.columns.rows[l]
            noisy = [columns.rows[l] for _, columns in self.noisy]
            for name in STATISTICS:
                if name in ELSEWHERE:
                    continue
                if name in SHARES:
                    self.compare_share(f"{run}row {l + 1}, {name}", row[name], expected.get(name))
                else:
                    self.compare_column(f"{run}row {l + 1}, ", name, row[name], expected, noisy)

    def compare_share(self, what, text, expected):
        if self.both_there(what, text, expected is not None):
            self.judge(what, number(text), *expected, 0.0, SHARE_TOLERANCE)

    def compare_column(self, where, name, text, expected, noisy):
        value, *others = [row.get(name, (math.nan,))[0] for row in [expected, *noisy]]
        defined = [not math.isnan(x) for x in [value, *others]]
        noise = max(abs(x - value) for x in others)
        if expected.get(name) == network.ANY or any(defined) != all(defined):
            self.at_floor += 1  # 0/0, but for rounding
            return
        if not self.both_there(where + name, text, defined[0]):
            return
        if name in MOMENTS:  # sums of the scale of both
            both = [expected[other][0] for other in MOMENTS if other[0] == name[0]]
            noise = max(noise, 2.0**-52 * math.hypot(*both))
        if name == "grad_corr":  # a mean of cosines
            noise = max(noise, self.precision.eps)
        got = number(text)
        if name.endswith("_log10"):
            got = 10.0**got
        tolerance = SIGMA_TOLERANCE if name == "w_sigma_max" else self.precision.tolerance
        self.judge(where + name, got, *expected[name], noise, tolerance)

    def both_there(self, what, text, expected):
        """Is there a value in the log, and should there be one? nan counts as none."""
        there = text not in ("", "nan")
        if there != expected:
            self.wrong.append(f"{what}: gradsim {text or 'has none'}, expected "
                              f"{'a number' if expected else 'none'}")
        return there and expected


# ---- All configurations ----

def check(gradsim, config, data, folder):
    """The configuration and its comparison.

    If no two programs need agree on it, it is another one near it: other random numbers, then f64,
    then no norm, then random weights.
    """
    for change in {}, {"seed": 7}, {"seed": 8}, {"dtype": None}, {"norm": None}, {"init": None}:
        config = options.Config(config.options | change)
        saved = os.path.join(folder, "network.safetensors")
        rows = run(gradsim, [*config.arguments(), "--save", saved], folder)
        check_index(config, rows)
        tensors = read_safetensors(saved)
        check_tensors(config, tensors)
        if config.data:
            data.check(config, tensors)
        comparison = Comparison(config, tensors)
        if not comparison.is_ill_posed:
            break
    else:
        raise ValueError("no two programs need agree on it, whatever changes")
    comparison.compare_loss(rows)
    comparison.compare_gradients(tensors)
    comparison.compare_rows(rows, "")
    again = run(gradsim, configuration_of(rows[0]), folder)
    check_index(config, again)
    comparison.compare_rows(again, "without --save, ")
    return config, comparison


class Report:
    def __init__(self, verbose):
        self.verbose = verbose
        self.passed = self.failed = 0

    def add(self, name, wrong):
        """One line, if there is something `wrong`: a list of what."""
        self.passed += not wrong
        self.failed += bool(wrong)
        if wrong:
            more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            print(f"not ok - {name} # {'; '.join(wrong[:3])}{more}", flush=True)
        elif self.verbose:
            print(f"ok - {name}", flush=True)


def main():
    arguments = [text for text in sys.argv[1:] if text != "-v"]
    count = int(arguments[0]) if arguments else COUNT
    gradsim = os.path.abspath(os.environ["GRADSIM"])
    torch.set_num_threads(1)

    report = Report("-v" in sys.argv)
    report.add("the reference's activations are torch's own", network.check_slopes())
    data = Data()
    done, replaced = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for drawn in options.draw(count, SEED):
            config, comparison = drawn, None
            try:
                config, comparison = check(gradsim, drawn, data, folder)
                wrong = comparison.wrong
            except (ValueError, KeyError, OSError, subprocess.TimeoutExpired) as error:
                wrong = [f"{type(error).__name__}: {error}"]
            report.add(" ".join(["gradsim", *config.arguments()]), wrong)
            done.append((config, comparison))
            replaced += config.options != drawn.options

    missing = options.undrawn([config for config, _ in done])
    report.add("every value of every option is drawn", missing)
    compared = sum(comparison.compared for _, comparison in done if comparison)
    at_floor = sum(comparison.at_floor for _, comparison in done if comparison)
    print(f"{len(done)} networks, {replaced} of them drawn again, have "
          f"{len(options.values()) - len(missing)} of the {len(options.values())} values of "
          f"{len(options.DECKS)} options; {compared} numbers compared, {at_floor} of them at the "
          "noise of rounding")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
