"""Configurations drawn from the whole option space, with a fixed seed."""

import random

import network

DATA = "examples/data/digits.csv"
DATA_FEATURES, DATA_CLASSES = 64, 10

ACTS = """
    linear identity none sigmoid logistic tanh relu leaky-relu leaky lrelu leaky-relu:0.2
    leaky-relu:-0.5 leaky-relu:3 prelu prelu:0.05 prelu:1.5 elu elu:0.5 elu:2 elu:0 selu silu swish
    gelu gelu-tanh softplus mish""".split()
INITS = """
    xavier xavier-normal xavier-uniform glorot glorot-normal glorot-uniform he he-normal he-uniform
    kaiming kaiming-normal kaiming-uniform lecun lecun-normal lecun-uniform normal:0.1 normal:0.4
    normal:1e-5 uniform:0.3 uniform:0.05 scaled:1.5 scaled:0.8 torch orthogonal orthogonal:1.2
    identity identity:0.7 identity:-1 constant:0.05 constant:-0.1 constant:0""".split()
CLIPS = "value:1e-3 value:0.1 norm:0.5 global:1e-6 layer:0.01 layer:1 agc:0.01 agc:1".split()
# Around the tiles of 8 and the panels of 16 and 32.
WIDTHS = [1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 19, 20, 23, 24, 25, 29, 31, 32, 33, 37, 40,
          41, 45, 47, 48]
BATCHES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 70]

# Every value of an option is dealt before any is dealt again; one that stands here twice comes up
# twice as often. None leaves the option out, and its default is what is tested.
DECKS = {
    "layers": list(range(1, 13)),
    "width": WIDTHS,
    "inputs": [None, None, None, 1, 3, 8, 10, 17, 32, 48],
    "outputs": [None, None, None, 1, 2, 5, 8, 9, 16, 40],
    "act": ACTS,
    "init": INITS,
    "gain": [None, None, None, None, 1, 0.5, 1.3, 1e-3, -1, 0],
    "bias": [None, None, 0.1, -0.25, "normal:0.1", "normal:0.5", "normal:0"],
    "order": [None, "dense-act", "act-dense"],
    "head": [None, None, "on", "off"],
    "norm": [None, "none", "batch", "batchnorm", "bn", "layer", "layernorm", "ln", "rms",
             "rmsnorm"],
    "norm-at": [None, "input", "preact", "postact", "output"],
    "norm-eps": [None, None, 1e-5, 1e-3, 0.5],
    "residual": [None, "none", "add", "add", "post-act"],
    "skip": [None, 1, 2, 3],
    "branch-scale": [None, 0.5, -0.3, "1/sqrt(L)", "1/L", "rezero"],
    "batch": BATCHES,
    "input": [None, None, None, "normal", "normal:0.3", "normal:50", "constant:1",
              "constant:-0.5", "constant:0"],
    "data": [None, None, None, DATA],
    "data-scale": [None, "none", "unit", "standard"],
    "loss": [None, "mse", "ce", "cross-entropy", "sum", "random"],
    "clip": [None, None, "none", *CLIPS],
    "seed": [0, 1, 2, 42, 12345, 2**32, 2**53 + 1, 2**64 - 1],
    "dtype": [None, "f64", "float64", "double", "f32", "float32", "float"],
    "threads": [1, 2, 3],
}

ALIASES = {
    "act": {"identity": "linear", "none": "linear", "logistic": "sigmoid", "swish": "silu",
            "leaky": "leaky-relu", "lrelu": "leaky-relu"},
    "norm": {"batchnorm": "batch", "bn": "batch", "layernorm": "layer", "ln": "layer",
             "rmsnorm": "rms"},
    "loss": {"cross-entropy": "ce"},
    "dtype": {"float64": "f64", "double": "f64", "float32": "f32", "float": "f32"},
}


class Deck:
    def __init__(self, values, dice):
        self.values, self.dice, self.left = values, dice, []

    def deal(self):
        if not self.left:
            self.left = self.dice.sample(self.values, len(self.values))
        return self.left.pop()


class Config:
    """Options as given, and what they mean."""

    def __init__(self, options):
        self.options = {name: value for name, value in options.items() if value is not None}

        def get(name, standard):
            value = self.options.get(name, standard)
            return ALIASES.get(name, {}).get(value, value)

        self.data = get("data", None)
        self.layers = get("layers", 96)
        widths = [int(width) for width in str(get("width", 128)).split("-")]
        self.widths = widths * self.layers if len(widths) == 1 else widths
        self.inputs = DATA_FEATURES if self.data else get("inputs", self.widths[0])
        self.outputs = get("outputs", DATA_CLASSES if self.data else self.widths[-1])
        self.activation = network.Activation(get("act", "sigmoid"))
        self.order = get("order", "dense-act")
        self.norm = get("norm", "none")
        self.norm_at = get("norm-at", "preact")
        self.norm_eps = get("norm-eps", 1e-5)
        self.residual = get("residual", "none")
        self.skip = get("skip", 1)
        self.branch_scale = str(get("branch-scale", 1))
        self.batch = get("batch", 64)
        self.loss = get("loss", "ce" if self.data else "mse")
        self.head = get("head", "off") == "on" or self.loss == "ce" or self.data is not None
        self.clip = get("clip", "none").replace("global:", "norm:")
        self.seed = get("seed", 1)
        self.dtype = get("dtype", "f64")

    def arguments(self):
        return [f"--{name}={value}" for name, value in self.options.items()]

    def shapes(self):
        """Every tensor of the safetensors file, gradients apart."""
        shapes = {"input": [self.batch, self.inputs]}
        if self.loss in ("mse", "ce"):
            shapes["target"] = [self.batch, self.outputs] if self.loss == "mse" else [self.batch]
        if self.loss == "random":
            shapes["readout"] = [self.outputs]
        widths = [self.inputs, *self.widths]
        if not self.head:
            widths[-1] = self.outputs
        for l in range(1, self.layers + 1):
            fan_in, fan_out = widths[l - 1], widths[l]
            shapes |= {f"layers.{l}.weight": [fan_out, fan_in], f"layers.{l}.bias": [fan_out]}
            if self.norm != "none":
                at_input = self.norm_at == "input"
                at_input |= self.norm_at == "postact" and self.order == "act-dense"
                units = fan_in if at_input else fan_out
                shapes |= {f"layers.{l}.norm.weight": [units], f"layers.{l}.norm.bias": [units]}
            skip = (self.residual != "none" and l % self.skip == 0
                    and widths[l - self.skip] == fan_out)
            if skip and self.branch_scale == "rezero":
                shapes[f"layers.{l}.branch_scale"] = [1]
        if self.head:
            shapes |= {"head.weight": [self.outputs, widths[-1]], "head.bias": [self.outputs]}
        return shapes


# Rare in what is drawn, and hard.
HARD = [
    # Certain of the label: 1 - p and -log p are 1e-17 and less.
    {"layers": 1, "width": 4, "act": "linear", "init": "identity", "batch": 1, "loss": "ce",
     "input": "normal:60", "seed": 12},
    # Behind the norm nothing is left of the gradient but rounding, which no f32 holds.
    {"layers": 4, "width": 41, "act": "tanh", "init": "identity", "gain": 1e-3, "head": "on",
     "norm": "batch", "norm-eps": 0.5, "batch": 6, "data": DATA, "loss": "random", "dtype": "f32"},
    # Signals and gradients far below the smallest f32.
    {"layers": 8, "width": 9, "act": "linear", "init": "normal:1e-30", "dtype": "f32"},
    # Two examples and two units leave a norm one direction, which it takes away.
    {"layers": 3, "width": 2, "act": "tanh", "norm": "batch", "batch": 2, "dtype": "f32"},
    {"layers": 3, "width": 2, "act": "gelu", "norm": "layer", "batch": 2},
    # As a classifier of images narrows.
    {"layers": 3, "width": "40-24-17", "act": "relu", "init": "he", "batch": 33, "data": DATA},
    {"layers": 4, "width": "17-17-9-48", "act": "tanh", "batch": 16, "residual": "add",
     "norm": "layer", "norm-at": "output"},
]


def repair(options):
    """Take back what contradicts the rest."""
    if options["data"]:
        options |= {"inputs": None, "input": None}
        if (options["outputs"] or DATA_CLASSES) < DATA_CLASSES:
            options["outputs"] = None
    else:
        options["data-scale"] = None
    config = Config(options)
    if config.loss == "ce" and config.outputs == 1:
        options["outputs"] = 2
    if config.order == "act-dense" and config.residual == "post-act":
        options["residual"] = "add"
    if config.norm == "batch" and config.batch == 1:
        options["batch"] = 6
    if config.dtype == "f32":  # rounding grows with depth
        options["layers"] = (config.layers - 1) % 4 + 1
    return options


def vary(options, dice):
    """Give one network in six a width for each layer, of two, so that some skips fit."""
    if dice.randrange(6) > 0 or options["layers"] == 1:
        return options
    widths = [str(width) for width in dice.sample(WIDTHS, 2)]
    config = Config(options)
    if not config.head:
        options["outputs"] = None
    elif config.loss == "ce" and not config.data:
        options["outputs"] = config.outputs
    return options | {"width": "-".join(dice.choice(widths) for _ in range(config.layers))}


def draw(count, seed):
    dice, other_dice = random.Random(seed), random.Random(seed + 1)
    decks = {name: Deck(values, dice) for name, values in DECKS.items()}
    drawn = [vary(repair({name: deck.deal() for name, deck in decks.items()}), other_dice)
             for _ in range(count)]
    return [Config(options) for options in HARD + drawn]


def values():
    """Every value that is there to be drawn, as (option, value)."""
    return [(name, value) for name, deck in DECKS.items() for value in dict.fromkeys(deck)
            if value is not None]


def undrawn(configs):
    """Those that no configuration has, as "--name=value"."""
    drawn = {item for config in configs for item in config.options.items()}
    return [f"--{name}={value}" for name, value in values() if (name, value) not in drawn]
