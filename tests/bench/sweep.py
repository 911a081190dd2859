"""sweep.py WAY POINTS.csv PROCESSES SECONDS ITEM: what PyTorch takes for networks of a sweep, 4
seeds a point (of `loop` one), with the columns that gradsim measures (but no theory); a row as
bench.h has them.

There are three ways. `script` is that of most scripts: autograd, and a loop over the layers; `loop`
starts it anew for each network, as a loop in a shell does. `batched` is for speed: layers are
measured together, a few operations a network, and weights need no gradient; that of a layer comes
from two Gram matrices, ||sum over b of d_b u_b^T||^2 = sum over b, b' of (d_b.d_b') (u_b.u_b').
"""
import csv
import io
import math
import multiprocessing
import os
import statistics
import subprocess
import sys
import time

import torch
from torch.linalg import vector_norm

SEEDS = 4
# phi, phi' from z and a, and the largest phi'
ACTIVATIONS = {
    "sigmoid": (torch.sigmoid, lambda z, a: a * (1 - a), 0.25),
    "tanh": (torch.tanh, lambda z, a: 1 - a * a, 1),
    "relu": (torch.relu, lambda z, a: (z > 0).to(z), 1),
    "leaky-relu": (lambda z: torch.nn.functional.leaky_relu(z, 0.01),
                   lambda z, a: torch.where(z > 0, 1.0, 0.01), 1),
}
INITS = {"xavier-normal": torch.nn.init.xavier_normal_,
         "he-normal": torch.nn.init.kaiming_normal_,
         "orthogonal": torch.nn.init.orthogonal_}
NORMS = {"none": lambda u: u,
         "batch": lambda u: torch.nn.functional.batch_norm(u, None, None, training=True),
         "layer": lambda u: torch.nn.functional.layer_norm(u, u.shape[1:])}
LARGEST_LOST = (2.0**-150, 2.0**-25, 2.0**-134)  # f32, f16, bf16


def choice(table, text):
    return table[text.split(":")[0]]


def passes(point, act):
    """By layer [layers, batch, units]: u, z, a, and dL/d of what the weights make, z, a, x."""
    layers, width, batch = (int(point[name]) for name in ("layers", "width", "batch"))
    skips = point["residual"] == "add"
    normalise, draw = NORMS[point["norm"]], choice(INITS, point["init"])
    weights, biases = torch.empty(layers, width, width), torch.zeros(layers, width)
    for weight in weights:
        draw(weight)
    x = torch.randn(batch, width).requires_grad_()
    signals = inputs, products, pre_activations, activations, outputs = [], [], [], [], []
    for weight, bias in zip(weights, biases):
        inputs.append(x)
        products.append(torch.nn.functional.linear(x, weight, bias))
        pre_activations.append(normalise(products[-1]))
        activations.append(act(pre_activations[-1]))
        x = x + activations[-1] if skips else activations[-1]
        outputs.append(x)
    loss = torch.nn.functional.mse_loss(x, torch.randn(batch, width))
    # Without norm or skip two of the lists are of the same tensors, which are asked for once.
    lists = {id(kind[0]): kind for kind in signals[1:]}
    grads = torch.autograd.grad(loss, [tensor for kind in lists.values() for tensor in kind])
    with torch.no_grad():
        stacks = dict(zip(lists, torch.stack(grads).view(len(lists), layers, batch, width)))
        values = [torch.stack(kind) for kind in (inputs, pre_activations, activations)]
    return loss, weights, values, [stacks[id(kind[0])] for kind in signals[1:]], skips


def share(mask):
    return mask.to(torch.get_default_dtype()).mean((1, 2))


def norms(tensor):
    return vector_norm(tensor, dim=(1, 2))


def gradient_columns(u, delta):
    """||dL/dW||, its mean over its standard error, and two examples' mean cosine."""
    batch = u.shape[1]
    gram = torch.bmm(delta, delta.mT) * torch.bmm(u, u.mT)
    squares = torch.diagonal(gram, dim1=1, dim2=2)
    total = gram.sum((1, 2)).clamp(min=0)
    snr = (total * (batch - 1) / (batch * squares.sum(1) - total)).sqrt()
    inverse = squares.rsqrt().unsqueeze(1)
    cosines = torch.bmm(torch.bmm(inverse, gram), inverse.mT).flatten() - batch
    return total.sqrt(), snr, cosines / (batch * (batch - 1))


def gains(grad_z, grad_a, grad_x, skips):
    above = torch.full((1,), math.nan)
    if skips:
        none = torch.full_like(grad_z, math.nan)
        return none, none, torch.cat([grad_x[:-1] / grad_x[1:], above])
    return (torch.cat([grad_a[:-1] / grad_z[1:], above]), grad_z / grad_a,
            torch.cat([grad_z[:-1] / grad_z[1:], above]))


def measure_batched(task):
    """The rows of one network."""
    point, seed = task
    torch.manual_seed(seed)
    act, slope_of, steepest = choice(ACTIVATIONS, point["act"])
    loss, weights, (u, z, a), (delta, grad_z, grad_a, grad_x), skips = passes(point, act)
    with torch.no_grad():
        z_std, z_mean = torch.std_mean(z, (1, 2), unbiased=False)
        a_std, a_mean = torch.std_mean(a, (1, 2), unbiased=False)
        slope = slope_of(z, a)
        flat, size, weight_norm = slope == 0, grad_a.abs(), norms(weights)
        sigma = torch.linalg.eigvalsh(torch.bmm(weights, weights.mT))[:, -1].sqrt()
        grad, snr, corr = gradient_columns(u, delta)
        columns = [z_mean, z_std, a_mean, a_std, share(slope.abs() < steepest / 10), share(flat),
                   flat.all(1).to(z).mean(1), weight_norm, sigma, grad, grad.log10(),
                   vector_norm(delta.sum(1), dim=1).log10(), norms(grad_z).log10(),
                   *gains(norms(grad_z), norms(grad_a), norms(grad_x), skips),
                   grad / weight_norm, snr, corr, *(share(size <= lost) for lost in LARGEST_LOST)]
        table = torch.stack(columns, 1).tolist()
    text, number = io.StringIO(), loss.item()
    csv.writer(text).writerows([seed, layer, "dense", number, *row, *point.values()]
                               for layer, row in enumerate(table, 1))
    return text.getvalue()


def measure_script(task):
    """The same, a layer at a time."""
    point, seed = task
    torch.manual_seed(seed)
    act, slope_of, steepest = choice(ACTIVATIONS, point["act"])
    layers, width, batch = (int(point[name]) for name in ("layers", "width", "batch"))
    skips, normalise = point["residual"] == "add", NORMS[point["norm"]]
    dense = [torch.nn.Linear(width, width) for _ in range(layers)]
    x, passed = torch.randn(batch, width, requires_grad=True), []
    for layer in dense:
        choice(INITS, point["init"])(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        u, product = x, layer(x)
        z = normalise(product)
        a = act(z)
        x = u + a if skips else a
        for signal in (product, z, a, x):
            signal.retain_grad()
        passed.append((u, product, z, a, x))
    loss = torch.nn.functional.mse_loss(x, torch.randn(batch, width))
    loss.backward()
    text, above = io.StringIO(), None
    for number, (layer, (u, product, z, a, x)) in enumerate(zip(dense, passed), 1):
        with torch.no_grad():
            slope, grad, weight = slope_of(z, a), layer.weight.grad.norm(), layer.weight.norm()
            examples = torch.einsum("bo,bi->boi", product.grad, u).flatten(1)
            lengths = examples.norm(dim=1)
            noise = (lengths.square().sum() - grad**2 / batch) / (batch - 1)
            cosines = (examples / lengths[:, None]).sum(0).norm() ** 2 - batch
            own = [signal.grad.norm() for signal in (z, a, x)]
            gain = [own[1] / above[0], own[0] / own[1], own[0] / above[0]] if above else []
            flat = slope == 0
            columns = [z.mean(), z.std(), a.mean(), a.std(),
                       (slope.abs() < steepest / 10).double().mean(), flat.double().mean(),
                       flat.all(0).double().mean(), weight,
                       torch.linalg.matrix_norm(layer.weight, 2), grad, grad.log10(),
                       layer.bias.grad.norm().log10(), own[0].log10(), *gain, grad / weight,
                       grad / (noise * batch).sqrt(), cosines / (batch * (batch - 1)),
                       *((a.grad.abs() <= lost).double().mean() for lost in LARGEST_LOST)]
            row = [column.item() for column in columns]
        above = own
        csv.writer(text).writerow([seed, number, "dense", loss.item(), *row, *point.values()])
    return text.getvalue()


def measure_loop(task):
    """The script in a process of its own."""
    program = f"import sweep; sweep.prepare(); print(sweep.measure_script({task!r}))"
    subprocess.run([sys.executable, "-B", "-c", program], cwd=os.path.dirname(__file__), check=True,
                   stdout=subprocess.DEVNULL)


WAYS = {"loop": measure_loop, "script": measure_script, "batched": measure_batched}


def prepare():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)


def main():
    way, processes = sys.argv[1], int(sys.argv[3])
    with open(sys.argv[2], encoding="ascii") as file:
        points = list(csv.DictReader(file))
    # The deepest first, so that processes end together.
    points.sort(key=lambda point: -int(point["layers"]))
    seeds = range(1, 2 if way == "loop" else SEEDS + 1)
    tasks = [(point, seed) for point in points for seed in seeds]
    times, end = [], 0
    with multiprocessing.get_context("spawn").Pool(processes, prepare) as pool:
        pool.map(WAYS[way], tasks[-4 * processes:], 1)
        end = time.perf_counter() + float(sys.argv[4])
        while len(times) < 2 or time.perf_counter() < end:
            start = time.perf_counter()
            pool.map(WAYS[way], tasks, 1)
            times.append(time.perf_counter() - start)
    least, median = min(times), statistics.median(times)
    print("sweep,96x128x64,f64", processes, sys.argv[5], f"torch {way}", f"{least:.6g}",
          f"{median:.6g}", len(tasks), "network", sep=",")


if __name__ == "__main__":
    main()
