"""The model of gradsim in PyTorch, and every column of the log from its definition.

Nothing is shared with gradsim but the definitions: forward is a few tensor operations, backward is
autograd's, per-example gradients are formed one by one, singular values come from a full SVD. All
is computed in float64, whatever the element type of the run.

Signals are [batch, units]. Names: x_l is the output of layer l, z_l its pre-activation, a_l its
activation, d_l = dL/dz_l.
"""

import math

import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)

# ---- Activations ----

SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717


def plus(z):
    return torch.clamp(z, min=0)


def minus(z):
    return torch.clamp(z, max=0)


def softplus(z):
    return plus(z) + torch.log1p(torch.exp(-torch.abs(z)))


def bell(z):
    """sigmoid'(z), without the cancellation of s (1 - s)."""
    return torch.sigmoid(z) * torch.sigmoid(-z)


def gaussian(z):
    return torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def gaussian_cdf(z):
    return torch.erfc(-z / math.sqrt(2)) / 2


def gelu_inner(z):
    return 2 * math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)


def gelu_tanh_slope(z):
    inner_slope = 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)
    return torch.sigmoid(gelu_inner(z)) + z * inner_slope * bell(gelu_inner(z))


def mish_slope(z):
    return torch.tanh(softplus(z)) + z * torch.sigmoid(z) * 4 * bell(2 * softplus(z))


# name: phi, phi', torch's own phi, and the default of a parameter p if phi(z, p) has one. Slopes
# are spelled out since torch takes some of them (1 - tanh^2, s (1 - s)) by a difference that loses
# every digit where phi saturates; where it does not, check_slopes() holds them against torch's. At
# a kink the slope is that of the left side, as in torch.
ACTIVATIONS = {
    "linear": (lambda z: z, torch.ones_like, lambda z: z),
    "sigmoid": (torch.sigmoid, bell, torch.sigmoid),
    "tanh": (torch.tanh, lambda z: 4 * bell(2 * z), torch.tanh),
    "relu": (plus, lambda z: (z > 0).double(), functional.relu),
    "leaky-relu": (lambda z, p: plus(z) + p * minus(z),
                   lambda z, p: torch.where(z > 0, 1.0, p),
                   functional.leaky_relu, 0.01),
    "prelu": (lambda z, p: plus(z) + p * minus(z),
              lambda z, p: torch.where(z > 0, 1.0, p),
              lambda z, p: functional.prelu(z, torch.tensor(p)), 0.25),
    "elu": (lambda z, p: plus(z) + p * torch.expm1(minus(z)),
            lambda z, p: torch.where(z > 0, 1.0, p * torch.exp(minus(z))),
            functional.elu, 1.0),
    "selu": (lambda z: SELU_SCALE * (plus(z) + SELU_ALPHA * torch.expm1(minus(z))),
             lambda z: SELU_SCALE * torch.where(z > 0, 1.0, SELU_ALPHA * torch.exp(minus(z))),
             functional.selu),
    "silu": (lambda z: z * torch.sigmoid(z),
             lambda z: torch.sigmoid(z) * (1 + z * torch.sigmoid(-z)),
             functional.silu),
    "gelu": (lambda z: z * gaussian_cdf(z),
             lambda z: gaussian_cdf(z) + z * gaussian(z),
             functional.gelu),
    "gelu-tanh": (lambda z: z * torch.sigmoid(gelu_inner(z)),
                  gelu_tanh_slope,
                  lambda z: functional.gelu(z, approximate="tanh")),
    "softplus": (softplus, torch.sigmoid, functional.softplus),
    "mish": (lambda z: z * torch.tanh(softplus(z)), mish_slope, functional.mish),
}


class Apply(torch.autograd.Function):
    """phi forward, phi' backward."""

    @staticmethod
    def forward(context, z, activation):
        context.activation = activation
        context.save_for_backward(z)
        return activation.phi(z)

    @staticmethod
    def backward(context, gradient):
        (z,) = context.saved_tensors
        return gradient * context.activation.slope(z), None


class Activation:
    def __init__(self, text):
        name, _, parameter = text.partition(":")
        phi, slope, own, *standard = ACTIVATIONS[name]
        parameters = [float(parameter)] if parameter else standard
        self.phi = lambda z: phi(z, *parameters)
        self.slope = lambda z: slope(z, *parameters)
        self.own = lambda z: own(z, *parameters)
        left, right = self.slope(torch.tensor([-1e-12, 1e-12]))
        self.kinked = bool(abs(left - right) > 1e-6)
        # A grid of 1e-4 misses a maximum by less than 1e-8; softplus reaches its 1 far out.
        self.steepest = float(self.slope(torch.linspace(-40, 40, 800001)).abs().max())


def check_slopes():
    """Names of activations whose phi or phi' differs from torch's own and its derivative."""
    z = torch.linspace(-6, 6, 4001).requires_grad_()
    wrong = []
    for name in ACTIVATIONS:
        activation = Activation(name)
        value = activation.own(z)
        (slope,) = torch.autograd.grad(value.sum(), z)
        pairs = (activation.phi(z), value), (activation.slope(z), slope)
        if not all(torch.allclose(a, b, rtol=1e-8, atol=1e-11) for a, b in pairs):
            wrong.append(name)
    return wrong


# ---- Rounding ----

class Rounding(torch.autograd.Function):
    """x (1 + r eps), r a random integer from -8 to 7, forward and backward: one more rounding.

    A run with it tells how far rounding alone can move a result (Monte Carlo arithmetic, Parker
    1997), and so the natural scale of a result that is a cancellation: sum_b d_b behind a batch
    norm is 0, and what is left of it is as large as the rounding of its terms.
    """

    @staticmethod
    def forward(context, x, eps, generator):
        context.arguments = eps, generator
        return Rounding.disturb(x, eps, generator)

    @staticmethod
    def backward(context, gradient):
        return Rounding.disturb(gradient, *context.arguments), None, None

    @staticmethod
    def disturb(x, eps, generator):
        return x * (1 + eps * torch.randint(-8, 8, x.shape, generator=generator))


# What another program computes may be further off than such a run by these factors, as the errors
# of a long sum add up to more than those of one rounding of each term. An entry that rounding moves
# across a kink of phi changes everything after it; one near the border of a share, only the share.
FLOOR = 50
KINK = 20


def moved(x, noisy):
    """How far each entry moves at most."""
    return torch.stack([(other - x).abs() for other in noisy]).amax(0)


def doubt(x, noisy):
    """How far off any entry may be; a zero that never moves is exact."""
    each = moved(x, noisy)
    return FLOOR * each.max() * ((x != 0) | (each > 0))


# ---- Forward and backward ----

class Layer:
    """The tensors of one layer; each keeps its gradient."""

    def __init__(self, kind):
        self.kind = kind
        self.skip = False
        self.u = None         # the input of the dense product
        self.product = None   # W u + b
        self.z = None         # the same after a norm there
        self.argument = None  # of phi
        self.a = None         # phi's output, after a norm there
        self.x = None         # the output of the layer


def normalise(x, kind, eps, weight, bias, keep):
    over = 0 if kind == "batch" else 1
    if kind != "rms":
        x = keep(x) - keep(keep(x).mean(over, keepdim=True))
    x_hat = keep(x) / torch.sqrt(keep(x).square().mean(over, keepdim=True) + eps)
    return keep(x_hat) * weight + bias


def branch_scale(text, layers):
    return {"1/sqrt(L)": 1 / math.sqrt(layers), "1/L": 1 / layers}.get(text) or float(text)


SOFTPLUS = Activation("softplus")


def cross_entropy(x, labels):
    """The mean of -log softmax(x)[label] = softplus(logsumexp of the other x - x[label]).

    functional.cross_entropy is the same, but its p - 1 has no digit right where p rounds to 1.
    """
    chosen = functional.one_hot(labels, x.shape[1]).bool()
    others = x[~chosen].reshape(x.shape[0], -1).logsumexp(1)
    return Apply.apply(others - x[chosen], SOFTPLUS).mean()


def loss_of(loss, output, tensors):
    if loss == "mse":
        return ((output - tensors["target"]) ** 2).mean()
    if loss == "ce":
        return cross_entropy(output, tensors["target"].long())
    if loss == "sum":
        return output.sum() / output.shape[0]
    return (output @ tensors["readout"]).sum() / output.shape[0]


class Network:
    """Forward and backward of a configuration on saved tensors; `eps` > 0 rounds all once more."""

    def __init__(self, config, tensors, eps=0.0, seed=0):
        self.config = config
        self.eps = eps
        self.generator = torch.Generator().manual_seed(seed)
        self.tensors = {name: torch.tensor(value, dtype=torch.float64)
                        for name, value in tensors.items()}
        self.parameters = [name for name in self.tensors
                           if name not in ("input", "target", "readout")]
        for name in [*self.parameters, "input"]:
            self.tensors[name].requires_grad_()
        self.xs = [self.keep(self.tensors["input"] * 1)]
        self.layers = []
        self.normalised = []  # what norms gave
        for l in range(1, config.layers + 1):
            self.append(self.layer(l))
        if config.head:
            self.append(self.head())
        self.loss = loss_of(config.loss, self.xs[-1], self.tensors)
        self.loss.backward()

    def keep(self, x):
        if self.eps:
            x = Rounding.apply(x, self.eps, self.generator)
        if x.requires_grad:
            x.retain_grad()
        return x

    def append(self, layer):
        self.layers.append(layer)
        self.xs.append(layer.x)

    def dense(self, name, u):
        weight, bias = self.tensors[name + ".weight"], self.tensors[name + ".bias"]
        return self.keep(u @ self.keep(weight).T + bias)

    def phi(self, x):
        return self.keep(Apply.apply(x, self.config.activation))

    def norm_at(self, place, l, x):
        config, name = self.config, f"layers.{l}.norm"
        if config.norm == "none" or config.norm_at != place:
            return x
        weight, bias = self.tensors[name + ".weight"], self.tensors[name + ".bias"]
        x = self.keep(normalise(x, config.norm, config.norm_eps, weight, bias, self.keep))
        self.normalised.append(x.detach())
        return x

    def has_skip(self, l, units):
        config = self.config
        return (config.residual != "none" and l % config.skip == 0
                and self.xs[l - config.skip].shape[1] == units)

    def join(self, l, branch):
        """x_{l-s} + alpha branch"""
        config = self.config
        if config.branch_scale == "rezero":
            alpha = self.tensors[f"layers.{l}.branch_scale"]
        else:
            alpha = branch_scale(config.branch_scale, config.layers)
        return self.keep(self.xs[l - config.skip] + alpha * branch)

    def layer(self, l):
        config, layer = self.config, Layer("dense")
        u = self.norm_at("input", l, self.xs[-1])
        if config.order == "act-dense":
            layer.argument = u
            u = layer.a = self.norm_at("postact", l, self.phi(u))
        layer.u = u
        layer.product = self.dense(f"layers.{l}", u)
        layer.z = self.norm_at("preact", l, layer.product)
        layer.skip = self.has_skip(l, layer.z.shape[1])
        x = layer.z
        if config.order == "dense-act":
            if layer.skip and config.residual == "post-act":
                x = self.join(l, x)
            layer.argument = x
            x = layer.a = self.norm_at("postact", l, self.phi(x))
        if layer.skip and config.residual == "add":
            x = self.join(l, x)
        layer.x = self.norm_at("output", l, x)
        return layer

    def head(self):
        layer = Layer("head")
        layer.u = self.xs[-1]
        layer.z = layer.product = layer.x = self.dense("head", layer.u)
        return layer

    def name(self, l):
        """The prefix of the tensors of row l = 0, 1, ..."""
        return "head" if self.layers[l].kind == "head" else f"layers.{l + 1}"

    def gradient(self, name):
        """dL/dtensor; zero where the loss does not depend on it."""
        tensor = self.tensors[name]
        return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad

    def is_ill_posed(self, noisy):
        """Need no two programs agree? So it is where an argument of phi lies within rounding of a
        kink, and where norms of nearly equal numbers have made a signal of their rounding."""
        for x, *others in zip(self.normalised, *(other.normalised for other in noisy)):
            if any((other - x).square().mean().sqrt() > 0.01 for other in others):
                return True
        if not self.config.activation.kinked:
            return False
        for layer, *others in zip(self.layers, *(other.layers for other in noisy)):
            if layer.kind == "dense":
                argument = layer.argument.detach()
                step = moved(argument, [other.argument.detach() for other in others])
                if (argument.abs() < KINK * step).any():
                    return True
        return False


# ---- Columns ----

def norm(x):
    """The Frobenius norm, also where squares do not fit."""
    largest = float(x.detach().abs().max())
    return largest * float(torch.linalg.vector_norm(x.detach() / largest)) if largest else 0.0


def drowned(x, noisy):
    """Is x no larger than what rounding makes of it, so that it could be 0?"""
    step = max((norm(other - x) for other in noisy), default=0.0)
    return step > 0 and norm(x) <= FLOOR * step


def ratio(a, b):
    return a / b if b else math.nan


def share(mask):
    return float(mask.double().mean())


# The largest number that rounds to zero in a format: half its smallest subnormal.
FLUSH = {"f32_zero": 2.0**-150, "f16_zero": 2.0**-25, "bf16_zero": 2.0**-134}


# A column that no two programs need agree on.
ANY = -math.inf, math.inf


class Columns:
    """Every row of the log: name -> (low, high), the range of right answers, one point for most.

    `noisy` runs say which entries lie near the border of a share; only with them are there shares.
    """

    def __init__(self, network, precision, noisy=()):
        self.network = network
        self.config = network.config
        self.precision = precision
        self.noisy = noisy
        self.plain = not any(layer.skip for layer in network.layers)
        self.rows = [self.row(l) for l in range(len(network.layers))]

    def row(self, l):
        layer = self.network.layers[l]
        column = self.moments("z", layer.z) | self.weight_columns(l, layer)
        column |= self.between_examples(l, layer)
        if layer.kind == "dense":
            column |= self.moments("a", layer.a) | self.gains(l)
            if self.noisy:
                column |= self.shares(layer, self.at_layer(l))
        return {name: value if isinstance(value, tuple) else (value, value)
                for name, value in column.items() if value is not None}

    def at_layer(self, l):
        return [other.layers[l] for other in self.noisy]

    @staticmethod
    def moments(name, x):
        mean = float(x.detach().mean())
        return {name + "_mean": mean, name + "_std": norm(x - mean) / math.sqrt(x.numel())}

    def shares(self, layer, noisy):
        """Shares of entries; one within rounding of the border may fall on either side."""
        activation = self.config.activation

        def slope_of(layer):
            return activation.slope(layer.argument.detach()).abs()

        slope = slope_of(layer)
        is_zero = (slope == 0) & (activation.slope(0.95 * layer.argument.detach()) == 0)
        error = doubt(slope, [slope_of(other) for other in noisy])
        limit = activation.steepest / 10
        zeros = is_zero, slope < self.precision.tiny
        column = {
            "saturated": (share(slope + error < limit * (1 - 1e-8)),
                          share(slope - error < limit * (1 + 1e-8))),
            "zero": tuple(share(zero) for zero in zeros),
            "dead": tuple(share(zero.all(0)) for zero in zeros),
        }
        size = layer.a.grad.abs()
        error = doubt(layer.a.grad, [other.a.grad for other in noisy])
        for name, flush in FLUSH.items():
            column[name] = share(size + error <= flush), share(size - error <= flush)
        return column

    def weight_columns(self, l, layer):
        name = self.network.name(l)
        weight = self.network.tensors[name + ".weight"].detach()
        size = norm(self.network.gradient(name + ".weight"))
        clip_scale, clipped = self.clip(name, weight)
        if drowned(self.network.gradient(name + ".weight"),
                   [other.gradient(name + ".weight") for other in self.noisy]):
            clip_scale = ANY
        return {
            "w_norm": norm(weight),
            "w_sigma_max": float(torch.linalg.svdvals(weight)[0]),
            "grad_w": size,
            "grad_w_log10": size,
            "grad_b_log10": norm(self.network.gradient(name + ".bias")),
            "grad_z_log10": norm(layer.z.grad),
            "grad_ratio": ratio(size, norm(weight)),
            "clip_scale": clip_scale,
            "grad_clipped_log10": clipped,
        }

    def between_examples(self, l, layer):
        """From the gradient of every example, g_b = B d_b u_b^T, d at the dense product."""
        batch = layer.u.shape[0]
        if batch == 1:
            return {}

        def gradients(layer):
            return batch * layer.product.grad[:, :, None] * layer.u.detach()[:, None, :]

        g, noisy = gradients(layer), [gradients(other) for other in self.at_layer(l)]
        if drowned(g, noisy):
            return {"grad_snr": ANY, "grad_corr": ANY}
        return {"grad_snr": self.snr(g), "grad_corr": self.corr(g, noisy)}

    def snr(self, g):
        """The mean over its standard error, sqrt(sum of |g_b - mean|^2 / (B (B - 1)))."""
        batch = g.shape[0]
        largest = float(g.abs().max())
        if not largest:
            return math.nan
        g = g / largest
        mean, square = g.mean(0), float(g.square().sum()) / (batch * (batch - 1))
        error = float((g - mean).square().sum()) / (batch * (batch - 1))
        # That sum may be had as sum |g_b|^2 - B |mean|^2, which rounds to the scale of its terms.
        doubt = self.precision.gram * square
        low, high = (ratio(norm(mean), math.sqrt(max(error + side, 0))) for side in (doubt, -doubt))
        return low, math.inf if error <= 10 * doubt else high

    def corr(self, g, noisy):
        """The mean of the cosines between two examples' gradients, where they are not zero."""
        if any(drowned(g[b], [other[b] for other in noisy]) for b in range(g.shape[0])):
            return ANY
        sizes = g.abs().amax((1, 2))
        alive = sizes > 0
        n = int(alive.sum())
        if n < 2:
            return math.nan
        if sizes[alive].min() < math.sqrt(self.precision.tiny) * sizes.max():
            return ANY  # its square may have become 0
        unit = g[alive] / sizes[alive][:, None, None]
        unit = unit / unit.square().sum((1, 2)).sqrt()[:, None, None]
        return float((unit.sum(0).square().sum() - n) / (n * (n - 1)))

    def gains(self, l):
        def x(network):
            return network.xs[l + 1].grad

        def x_before(network):
            return network.xs[l].grad

        def x_after(network):
            return network.xs[l + 2].grad

        def a(network):
            return network.layers[l].a.grad

        def z(network):
            return network.layers[l].z.grad

        def z_after(network):
            return network.layers[l + 1].z.grad

        last = l + 1 == len(self.network.layers)
        if not self.plain:
            gains = {} if last else {"gain": (x, x_after)}
        elif self.config.order == "act-dense":
            gains = {"weight_gain": (a, z), "act_gain": (x_before, a), "gain": (x_before, z)}
        elif last:
            gains = {"act_gain": (z, a)}
        else:
            gains = {"weight_gain": (a, z_after), "act_gain": (z, a), "gain": (z, z_after)}
        return {name: self.quotient(*both) for name, both in gains.items()}

    def quotient(self, above, below):
        """|above| / |below|, functions that pick a gradient from a network."""
        bottom = below(self.network)
        if drowned(bottom, [below(other) for other in self.noisy]):
            return ANY
        return ratio(norm(above(self.network)), norm(bottom))

    def total(self, prefix):
        """The norm of all gradients of parameters whose names begin so."""
        return math.hypot(*(norm(self.network.gradient(name)) for name in self.network.parameters
                            if name.startswith(prefix)))

    def clip(self, name, weight):
        """The factor that clipping applied to the gradient of a weight, and the norm after it."""
        kind, _, limit = self.config.clip.partition(":")
        gradient = self.network.gradient(name + ".weight")
        size = norm(gradient)
        if kind == "none":
            return 1.0, size
        limit = float(limit)
        if kind in ("norm", "layer"):
            total = self.total("" if kind == "norm" else name + ".")
            scale = min(1.0, limit / total) if total else 1.0
            return scale, scale * size
        if kind == "value":
            clipped = torch.clamp(gradient, -limit, limit)
        else:  # agc, a row of W at a time: Brock et al. 2021, equation 3, with eps = 1e-3
            allowed = limit * torch.clamp(weight.norm(dim=1), min=1e-3)
            rows = gradient.norm(dim=1)
            clipped = gradient * torch.where(rows > allowed, allowed / rows, 1.0)[:, None]
        return (norm(clipped) / size if size else 1.0), norm(clipped)
