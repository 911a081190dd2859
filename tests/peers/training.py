"""Trains gradsim's networks in PyTorch, from the same weights and on the same batches.

Each configuration runs as `gradsim OPTIONS --steps 100 --format csv -o LOG --save TENSORS`, and
with --steps 0 for the tensors that it starts from. PyTorch trains those for as many steps: forward
and backward are those of network.py, optimizers and schedules those of torch.optim; what it does
not have (l1, max-norm, normalised gradients, clipping but by value) is written out below. Compared
are

- in the log: loss, accuracy, learning rate and global gradient norms of every step, held-out loss
  and accuracy, and of every layer the size of the step and how far the weights have moved;
- in the file: every parameter, every moment of the optimizer, which has PyTorch's name for it, and
  the batch of the last step;

all relative, a tensor in its norm: to 1e-8 in f64, with batch norm 1e-6, in f32 1e-3; how far off
the furthest is gets printed. A run that is continued halfway ends with the bytes of one that is
not.

usage: GRADSIM=path/to/gradsim training.py [-v]
"""

import math
import os
import subprocess
import sys
import tempfile
import warnings

import numpy
import torch

import network
import options
import peer

STEPS = 100
TOLERANCE = {"f64": 1e-8, "f64 with batch norm": 1e-6, "f32": 1e-3}

# ---- Gradients before a step ----


def norm_of(tensors):
    return math.sqrt(sum(float(x.square().sum()) for x in tensors))


def by_layer(parameters):
    """The parameters of each layer, whose names begin alike."""
    layers = {}
    for name, parameter in parameters.items():
        key = ".".join(name.split(".")[:2]) if name.startswith("layers.") else "head"
        layers.setdefault(key, []).append(parameter)
    return list(layers.values())


def scale(parameters, factor):
    for parameter in parameters:
        parameter.grad *= factor


def normalise(parameters):
    for layer in by_layer(parameters):
        size = norm_of(parameter.grad for parameter in layer)
        if size:
            scale(layer, 1 / size)


def limit_norm(parameters, limit):
    """clip_grad_norm_() without the 1e-6 that it adds to the norm."""
    size = norm_of(parameter.grad for parameter in parameters)
    if size > limit:
        scale(parameters, limit / size)


def limit_units(parameter, limit):
    """Brock et al. 2021, equation 3: a row of a matrix is a unit, and so is a whole vector."""
    axis = 1 if parameter.dim() == 2 else 0
    allowed = limit * parameter.detach().norm(dim=axis, keepdim=True).clamp(min=1e-3)
    size = parameter.grad.norm(dim=axis, keepdim=True)
    parameter.grad *= torch.where(size > allowed, allowed / size, torch.ones_like(size))


def clip(text, parameters):
    kind, _, limit = text.partition(":")
    if kind == "value":
        torch.nn.utils.clip_grad_value_(parameters.values(), float(limit))
    elif kind == "norm":
        limit_norm(parameters.values(), float(limit))
    elif kind == "layer":
        for layer in by_layer(parameters):
            limit_norm(layer, float(limit))
    elif kind == "agc":
        for parameter in parameters.values():
            limit_units(parameter, float(limit))


# ---- The step ----

def limit_rows(parameters, limit):
    """--max-norm"""
    for weight in parameters.values():
        if weight.dim() == 2 and limit:
            size = weight.detach().norm(dim=1, keepdim=True)
            weight.data *= torch.where(size > limit, limit / size, torch.ones_like(size))


def optimizer_of(given, parameters):
    name, _, momentum = given.get("opt", "sgd").partition(":")
    rate = given.get("lr", 0.001 if name.startswith("adam") else 0.01)
    common = {"lr": rate, "weight_decay": given.get("l2", 0)}
    if name.startswith("adam"):
        make = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
        betas = given.get("beta1", 0.9), given.get("beta2", 0.999)
        return make(parameters, **common, betas=betas, eps=given.get("eps", 1e-8))
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, **common, alpha=given.get("rho", 0.99),
                                   eps=given.get("eps", 1e-8))
    if name == "sgd":
        return torch.optim.SGD(parameters, **common)
    return torch.optim.SGD(parameters, **common, momentum=float(momentum or 0.9),
                           nesterov=name == "nesterov")


def schedule_of(given, optimizer):
    schedules = torch.optim.lr_scheduler
    warmup = given.get("warmup", 0)
    kind, _, every = given.get("schedule", "constant").partition(":")
    after = {
        "constant": lambda: schedules.LambdaLR(optimizer, lambda done: 1.0),
        "linear": lambda: schedules.LinearLR(optimizer, 1, 0, STEPS - warmup),
        "cosine": lambda: schedules.CosineAnnealingLR(optimizer, STEPS - warmup),
        "step": lambda: schedules.StepLR(optimizer, int(every)),
    }
    if not warmup:
        return after[kind]()
    rise = schedules.LinearLR(optimizer, 1 / warmup, 1, warmup - 1)
    return schedules.SequentialLR(optimizer, [rise, after[kind]()], [warmup])


# ---- Batches ----

class Batches:
    """What is in the file at the start, or consecutive examples of the data from step to step, but
    for the last, which are held out."""

    def __init__(self, config, start):
        self.size = config.batch
        self.saved = {name: start[name] for name in ("input", "target", "readout")
                      if name in start}
        self.data = self.held_out = None
        if config.data:
            table = numpy.loadtxt(config.data, delimiter=",")
            labels = table[:, -1].astype(int)
            data = {"input": table[:, :-1] / numpy.abs(table[:, :-1]).max(),
                    "target": numpy.eye(config.outputs)[labels] if config.loss == "mse" else labels}
            kept = len(labels) - round(config.options.get("test-share", 0) * len(labels))
            self.data = {name: values[:kept] for name, values in data.items()}
            self.held_out = {name: values[kept:] for name, values in data.items()}
            self.per_epoch = kept // self.size

    def take(self, step):
        if not self.data:
            return self.saved
        first = step % self.per_epoch * self.size
        return {name: values[first:first + self.size] for name, values in self.data.items()}


# ---- A run ----

def accuracy(passed):
    target = passed.tensors["target"]
    labels = target if target.dim() == 1 else target.argmax(1)
    return float((passed.xs[-1].argmax(1) == labels).double().mean())


class Training:
    """PyTorch's run, and what it has done step by step."""

    def __init__(self, config, start):
        self.config = config
        self.given = config.options
        self.batches = Batches(config, start)
        self.parameters = {name: torch.nn.Parameter(torch.tensor(value, dtype=torch.float64))
                           for name, value in start.items()
                           if not name.endswith(".grad") and name not in self.batches.saved}
        self.weights = [name for name in self.parameters
                        if name.endswith(".weight") and ".norm." not in name]
        self.initial = self.copy()
        self.optimizer = optimizer_of(self.given, self.parameters.values())
        self.schedule = schedule_of(self.given, self.optimizer)
        self.clipped = 0
        self.steps = [self.step(t) for t in range(STEPS + 1)]

    def copy(self):
        return {name: value.detach().clone() for name, value in self.parameters.items()}

    def gradients(self):
        return [parameter.grad for parameter in self.parameters.values()]

    def step(self, t):
        """Step t and its columns; `final` is left as it was before the last."""
        self.final, self.batch = self.copy(), self.batches.take(t)
        self.moments = {f"{name}.{moment}": value.clone()
                        for name, parameter in self.parameters.items()
                        for moment, value in self.optimizer.state[parameter].items()
                        if torch.is_tensor(value) and moment != "step"}
        values = {name: value.numpy() for name, value in self.final.items()}
        passed = network.Network(self.config, values | self.batch)
        for name, parameter in self.parameters.items():
            parameter.grad = passed.gradient(name).clone()
        columns = {"loss": float(passed.loss), "lr": self.optimizer.param_groups[0]["lr"],
                   "grad_norm_log10": norm_of(self.gradients())}
        if self.config.data:
            columns["accuracy"] = accuracy(passed)
        if "test-share" in self.given:
            tested = network.Network(self.config, values | self.batches.held_out)
            columns |= {"test_loss": float(tested.loss), "test_accuracy": accuracy(tested)}
        if "grad-normalize" in self.given:
            normalise(self.parameters)
        before = [gradient.clone() for gradient in self.gradients()]
        clip(self.config.clip, self.parameters)
        self.clipped += any((old != new).any() for old, new in zip(before, self.gradients()))
        columns["grad_norm_clipped_log10"] = norm_of(self.gradients())
        columns["clipped"] = self.clipped / (t + 1)
        self.update()
        return columns, self.layer_columns()

    def update(self):
        for parameter in self.parameters.values():
            parameter.grad += self.given.get("l1", 0) * parameter.detach().sign()
        self.optimizer.step()
        self.schedule.step()
        limit_rows(self.parameters, self.given.get("max-norm", 0))
        self.stepped = self.copy()

    def layer_columns(self):
        rows = []
        for name in self.weights:
            size, initial = norm_of([self.final[name]]), self.initial[name]
            rows.append({
                "update_ratio": norm_of([self.stepped[name] - self.final[name]]) / size,
                "moved": norm_of([self.final[name] - initial]) / norm_of([initial]),
            })
        return rows


class Comparison:
    def __init__(self, config, training):
        self.config, self.training = config, training
        has_batch_norm = config.norm == "batch" and config.dtype == "f64"
        self.kind = "f64 with batch norm" if has_batch_norm else config.dtype
        self.tolerance = TOLERANCE[self.kind]
        self.compared, self.largest = 0, 0.0
        self.wrong = []

    def judge(self, what, miss, size):
        self.compared += 1
        relative = 0.0 if not miss else miss / size if size else math.inf
        self.largest = max(self.largest, relative)
        if not relative <= self.tolerance:
            self.wrong.append(f"{what}: off by {relative:.3g}")

    def compare_columns(self, where, row, columns):
        for name, expected in columns.items():
            got = peer.number(row[name])
            if name.endswith("_log10"):
                got = 10.0**got
            self.judge(f"{where}, {name}", abs(got - expected), abs(expected) or 1.0)

    def compare_log(self, rows):
        layers = len(self.training.weights)
        index = [[row["step"], row["layer"]] for row in rows]
        if index != [[str(t), str(l)] for t in range(STEPS + 1) for l in range(1, layers + 1)]:
            raise ValueError("the log does not have every layer of every step")
        for i, row in enumerate(rows):
            step, by_layer = self.training.steps[i // layers]
            where = f"step {i // layers}, layer {i % layers + 1}"
            self.compare_columns(where, row, step | by_layer[i % layers])

    def scale_of(self, name, expected):
        """What an error is relative to. A bias before a batch norm moves by the rounding of its
        gradient, which is 0, and nothing depends on it."""
        config, parts = self.config, name.split(".")
        if config.norm == "batch" and config.norm_at == "preact" and parts[2:3] == ["bias"]:
            return math.inf
        return norm_of([expected])

    def compare_file(self, tensors):
        training = self.training
        for name, expected in (training.final | training.moments).items():
            got = torch.tensor(tensors[name], dtype=torch.float64)
            self.judge(name, norm_of([got - expected]), self.scale_of(name, expected))
        for name, expected in training.batch.items():
            if not numpy.array_equal(tensors[name], expected):
                self.wrong.append(f"{name}: not the batch of the last step")


def check(gradsim, config, folder):
    start, end = (os.path.join(folder, name + ".safetensors") for name in ("start", "end"))
    arguments = config.arguments()
    peer.run(gradsim, [*arguments, "--steps=0", "--save", start], folder)
    rows = peer.run(gradsim, [*arguments, f"--steps={STEPS}", "--save", end], folder)
    comparison = Comparison(config, Training(config, peer.read_safetensors(start)))
    comparison.compare_log(rows)
    comparison.compare_file(peer.read_safetensors(end))
    return comparison


def check_continued(gradsim, config, folder):
    """Half of the steps and then the rest end where all at once do, to the last bit."""
    half, end = (os.path.join(folder, name + ".safetensors") for name in ("half", "end"))
    arguments = config.arguments()
    peer.run(gradsim, [*arguments, f"--steps={STEPS // 2}", "--save", half], folder)
    peer.run(gradsim, [*arguments, "--load", half, f"--steps={STEPS}", "--save", half], folder)
    peer.run(gradsim, [*arguments, f"--steps={STEPS}", "--save", end], folder)
    straight, continued = (peer.read_safetensors(path) for path in (end, half))
    return [name for name in straight.keys() | continued.keys()
            if not numpy.array_equal(straight.get(name), continued.get(name))]


# ---- Configurations ----

DIGITS = {"layers": 6, "width": 24, "act": "relu", "init": "he", "batch": 32, "seed": 5,
          "data": options.DATA, "data-scale": "unit", "shuffle": "off", "threads": 1}
MADE_UP = {"layers": 4, "width": 20, "inputs": 12, "outputs": 5, "act": "tanh", "batch": 16,
           "seed": 3, "threads": 1}
# With larger steps some of the runs are chaotic: rounding alone moves PyTorch's by as much.
RULES = [{"opt": "sgd"}, {"opt": "momentum"}, {"opt": "nesterov"}, {"opt": "rmsprop", "lr": 1e-3},
         {"opt": "adam"}, {"opt": "adamw"}]
SCHEDULES = ["constant", "linear", "cosine", "step:20"]
CLIPS = [{"clip": clip} for clip in ("value:0.003", "norm:0.5", "layer:0.1", "agc:0.01")]
NORMALIZE = {"grad-normalize": "on", "lr": 0.02}
NORMS = [{"norm": norm, "norm-at": place, "act": act}
         for norm, place, act in (("batch", "preact", "relu"), ("batch", "postact", "tanh"),
                                  ("layer", "preact", "relu"), ("layer", "output", "gelu"),
                                  ("rms", "input", "relu"))]
REZERO = {"norm": "layer", "residual": "add", "branch-scale": "rezero", "bias": 0.1}


def cases():
    """What each changes, and in which base."""
    for rule in RULES:
        yield rule, DIGITS
        yield rule, MADE_UP
        yield rule | {"l1": 1e-4, "l2": 0.01}, DIGITS
        yield rule | {"max-norm": 0.9, "clip": "norm:1", "warmup": 3}, MADE_UP
        yield rule | REZERO, DIGITS
        yield rule | NORMALIZE | {"lr": 0.002}, DIGITS
        for norm in NORMS:
            yield rule | norm | {"lr": 0.001}, DIGITS
    for opt in "momentum:0.5", "nesterov:0.5", "momentum:0.99", "nesterov:0.99":
        yield {"opt": opt}, DIGITS
    for opt in "adam", "adamw":
        yield {"opt": opt, "beta1": 0.5, "beta2": 0.9, "eps": 1e-3}, DIGITS
    yield {"opt": "rmsprop", "rho": 0.8, "eps": 1e-3, "lr": 0.001}, DIGITS
    for schedule in SCHEDULES:
        for warmup in 0, 10, 37:
            yield {"schedule": schedule, "warmup": warmup, "opt": "momentum"}, DIGITS
    yield {"schedule": "cosine", "warmup": 10, "opt": "adamw", "l2": 0.1}, DIGITS
    for clip in CLIPS:
        yield clip | REZERO, DIGITS
        for base in DIGITS, MADE_UP:
            yield clip, base
            yield clip | NORMALIZE, base
            yield clip | {"opt": "adam"}, base
    for base in DIGITS, MADE_UP:
        yield {"l1": 0.01}, base
        yield {"l2": 0.1}, base
        yield {"max-norm": 0.5, "opt": "momentum"}, base
        yield {"dtype": "f32"}, base
        yield {"dtype": "f32", "opt": "adam"}, base
    for residual in "add", "post-act":
        yield {"residual": residual, "skip": 2, "opt": "momentum"}, DIGITS
    yield {"residual": "add", "order": "act-dense", "norm": "layer", "opt": "adam"}, DIGITS
    yield {"width": "24-40-9-24-24-17", "opt": "adam", "residual": "add"}, DIGITS
    yield {"width": "20-8-31-5", "opt": "momentum"}, MADE_UP
    yield {"loss": "mse"}, DIGITS
    yield {"test-share": 0.1}, DIGITS
    yield {"loss": "sum"}, MADE_UP
    yield {"loss": "random"}, MADE_UP


def main():
    gradsim = os.path.abspath(os.environ["GRADSIM"])
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="The epoch parameter")  # SequentialLR's own call
    report = peer.Report("-v" in sys.argv)
    runs = compared = 0
    largest = dict.fromkeys(TOLERANCE, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for more, base in cases():
            config = options.Config(base | more)
            try:
                comparison = check(gradsim, config, folder)
                wrong = comparison.wrong
                runs += 1
                compared += comparison.compared
                largest[comparison.kind] = max(largest[comparison.kind], comparison.largest)
            except (ValueError, KeyError, OSError, subprocess.TimeoutExpired) as error:
                wrong = [f"{type(error).__name__}: {error}"]
            report.add(" ".join(["gradsim", *config.arguments(), f"--steps={STEPS}"]), wrong)
        for rule in RULES:
            config = options.Config(DIGITS | rule | {"schedule": "step:30"})
            try:
                wrong = check_continued(gradsim, config, folder)
            except (ValueError, KeyError, OSError, subprocess.TimeoutExpired) as error:
                wrong = [f"{type(error).__name__}: {error}"]
            report.add(f"{rule['opt']}: the second half of a run ends where the whole does", wrong)
    print(f"{runs} runs of {STEPS} steps; {compared} numbers compared, the furthest off by",
          ", ".join(f"{miss:.1e} in {kind}" for kind, miss in largest.items()))
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
