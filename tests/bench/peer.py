"""peer.py: what PyTorch takes for the same. Each line of stdin is a question, each answer is rows as
bench.h has them, ended by an empty line:

    pass ACT LAYERS WIDTH BATCH DTYPE THREADS SECONDS
    training OPT LAYERS WIDTH BATCH DTYPE THREADS SECONDS
    generation DTYPE THREADS SECONDS
    libraries
    end
"""
import ctypes
import statistics
import sys
import time

import torch

DTYPES = {"f64": torch.float64, "f32": torch.float32}


def linear_algebra():
    """The BLAS that was really loaded."""
    with open("/proc/self/maps", encoding="ascii") as maps:
        files = {line.split()[-1] for line in maps if "/" in line}
    return sorted(file for file in files if "blas" in file or "mkl" in file or "blis" in file)


def set_threads(threads):
    torch.set_num_threads(threads)
    for file in linear_algebra():
        if "openblas" in file:
            ctypes.CDLL(file).openblas_set_num_threads(threads)


def fastest(ways, seconds):
    """The times of the fastest way of doing something: warm, and at least two."""
    def timed(step):
        start = time.perf_counter()
        step()
        return time.perf_counter() - start

    trials = []
    for step in ways:
        timed(step)
        trials.append((min(timed(step) for _ in range(2)), step))
    best, step = min(trials, key=lambda trial: trial[0])
    times, end = [best], time.perf_counter() + seconds
    while len(times) < 2 or time.perf_counter() < end:
        times.append(timed(step))
    return times


def row(group, shape, dtype, threads, item, times, work, unit):
    least, median = min(times), statistics.median(times)
    print(group, shape, dtype, threads, item, "torch", f"{least:.6g}", f"{median:.6g}", work, unit,
          sep=",")


def network_pass(act, depth, width, batch, dtype, threads, seconds):
    """Forward, backward, norm of every dL/dW; signals are [batch, units] or [units, batch]."""
    depth, width, batch = int(depth), int(width), int(batch)
    phi = getattr(torch, act)
    deviation = width**-0.5
    weights = [torch.empty(width, width).normal_(0, deviation).requires_grad_()
               for _ in range(depth)]
    x, target = torch.randn(batch, width), torch.randn(batch, width)
    ways = [(lambda w, u: torch.nn.functional.linear(u, w), x, target),
            (torch.mm, x.t().contiguous(), target.t().contiguous())]

    def step_of(product, u, y):
        def step():
            a = u
            for w in weights:
                w.grad = None
            for w in weights:
                a = phi(product(w, a))
            torch.nn.functional.mse_loss(a, y).backward()
            return [torch.linalg.vector_norm(w.grad) for w in weights]
        return step

    times = fastest([step_of(*way) for way in ways], float(seconds))
    row("pass", f"{depth}x{width}x{batch}", dtype, threads, act, times,
        4 * depth * width * width * batch, "flop")


def training_step(opt, depth, width, batch, dtype, threads, seconds):
    """Forward, backward and update of nn.Sequential; the optimizer's loops by tensor or foreach.
    PyTorch 1 has no torch.compile."""
    depth, width, batch = int(depth), int(width), int(batch)
    layers = []
    for _ in range(depth):
        layers += [torch.nn.Linear(width, width), torch.nn.ReLU(inplace=True)]
        torch.nn.init.kaiming_normal_(layers[-2].weight)
        torch.nn.init.zeros_(layers[-2].bias)
    network = torch.nn.Sequential(*layers)
    x, target = torch.randn(batch, width), torch.randn(batch, width)
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[opt]

    def step_of(foreach):
        optimizer = make(network.parameters(), lr=1e-9, foreach=foreach)

        def step():
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.mse_loss(network(x), target).backward()
            optimizer.step()
        return step

    times = fastest([step_of(False), step_of(True)], float(seconds))
    row("training", f"{depth}x{width}x{batch}", dtype, threads, opt, times,
        6 * depth * width * width * batch, "flop")


def generation(dtype, threads, seconds):
    """A million numbers, and ten of them at once; and orthogonal matrices."""
    count, times = 10**6, []
    for factor in (1, 10):
        numbers = torch.empty(factor * count)
        times += [taken / factor for taken in
                  fastest([lambda: torch.randn(factor * count), numbers.normal_],
                          float(seconds) / 2)]
    row("generation", "", dtype, threads, "normal numbers", times, count, "number")
    for width in (128, 2048):
        weight = torch.empty(width, width)
        times = fastest([lambda: torch.nn.init.orthogonal_(weight)], float(seconds) / 2)
        row("generation", "", dtype, threads, f"orthogonal {width}", times, width * width, "number")


def main():
    for line in sys.stdin:
        kind, *arguments = line.split()
        if kind == "end":
            break
        if kind == "libraries":
            print("PyTorch", torch.__version__, *linear_algebra())
        else:
            torch.set_default_dtype(DTYPES[arguments[-3]])
            set_threads(int(arguments[-2]))
            {"pass": network_pass, "training": training_step,
             "generation": generation}[kind](*arguments)
        print(flush=True)


main()
