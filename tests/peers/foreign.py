"""Measures in gradsim what PyTorch has trained.

A chain of nn.Linear and an activation learns the digits of examples/data for some steps, is written
as a safetensors file under the names of its state_dict, and goes through `gradsim --load` and
`gradsim --load --steps`. Compared are the loss and the accuracy on the first batch, the gradient of
every weight matrix, and the loss and the weights after some steps of SGD, in f64: relative, to 1e-9.

usage: GRADSIM=path/to/gradsim foreign.py [-v]
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy
import torch

import peer

BATCH = 64
STEPS = 5
RATE = 0.05
TOLERANCE = 1e-9

# name, activation of both, prefix of names, sizes from the input to the output, type, biases
CASES = [
    ("relu", torch.nn.ReLU, "", [64, 32, 32, 32, 10], torch.float64, True),
    ("tanh", torch.nn.Tanh, "net.", [64, 48, 24, 16, 10], torch.float32, True),
    ("sigmoid", torch.nn.Sigmoid, "model.layers.", [64, 16, 16, 10], torch.float16, True),
    ("silu", torch.nn.SiLU, "", [64, 20, 20, 20, 10], torch.bfloat16, True),
    ("relu", torch.nn.ReLU, "", [64, 40, 10], torch.float64, False),
]

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
}


def digits():
    path = os.path.join(os.path.dirname(__file__), "../../examples/data/digits.csv")
    rows = numpy.genfromtxt(path, delimiter=",")
    rows = rows[~numpy.isnan(rows).any(axis=1)]
    return torch.tensor(rows[:, :-1]), torch.tensor(rows[:, -1].astype(int))


def model_of(activation, sizes, biased):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(inputs, outputs, bias=biased), activation()]
    return torch.nn.Sequential(*layers[:-1]).double()


def train(model, x, labels, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    for step in range(steps):
        batch = slice(step * BATCH, (step + 1) * BATCH)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[batch]), labels[batch]).backward()
        optimizer.step()


def save(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        bits = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
        raw = bits.numpy().tobytes()
        header[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def rounded(model, dtype):
    """What the file holds, as the model has it too."""
    state = {name: value.to(dtype) for name, value in model.state_dict().items()}
    model.load_state_dict({name: value.double() for name, value in state.items()})
    return state


def run(gradsim, arguments, folder):
    path = os.path.join(folder, "log.jsonl")
    data = os.path.join(os.path.dirname(__file__), "../../examples/data/digits.csv")
    subprocess.run(
        [gradsim, *arguments, "--data", data, "--data-scale", "none", "--shuffle", "off"]
        + ["--batch", str(BATCH), "-o", path],
        check=True,
    )
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def distance(ours, theirs):
    ours, theirs = torch.tensor(numpy.array(ours)).double(), torch.as_tensor(theirs).double()
    return float((ours - theirs).norm() / theirs.norm())


def check_measured(model, x, labels, rows):
    loss = torch.nn.functional.cross_entropy(model(x[:BATCH]), labels[:BATCH])
    model.zero_grad()
    loss.backward()
    right = (model(x[:BATCH]).argmax(dim=1) == labels[:BATCH]).double().mean()
    weights = [layer.weight for layer in model if isinstance(layer, torch.nn.Linear)]
    yield "loss", distance(rows[0]["loss"], loss.detach())
    yield "accuracy", distance(rows[0]["accuracy"], right)
    for row, weight in zip(rows, weights):
        yield f"grad_w of layer {row['layer']}", distance(row["grad_w"], weight.grad.norm())
    yield "layers", abs(len(rows) - len(weights))


def check_trained(model, x, labels, tensors):
    train(model, x, labels, STEPS)
    layers = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    for i, layer in enumerate(layers, 1):
        name = f"layers.{i}" if i < len(layers) else "head"
        yield f"{name}.weight after {STEPS} steps", distance(
            tensors[f"{name}.weight"], layer.weight.detach()
        )


def check(gradsim, case, folder):
    name, activation, prefix, sizes, dtype, biased = case
    torch.manual_seed(1)
    x, labels = digits()
    model = model_of(activation, sizes, biased)
    train(model, x / 16, labels, 20)
    path, end = os.path.join(folder, "net.safetensors"), os.path.join(folder, "end.safetensors")
    save(path, {prefix + key: value for key, value in rounded(model, dtype).items()})
    load = ["--load", path, "--act", name]
    yield from check_measured(model, x, labels, run(gradsim, load, folder))
    if biased:  # gradsim would train biases that the file does not have
        run(gradsim, load + ["--steps", str(STEPS), "--lr", str(RATE), "--save", end], folder)
        yield from check_trained(model, x, labels, peer.read_safetensors(end))


def main():
    gradsim = os.environ["GRADSIM"]
    passed = failed = 0
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            off = list(check(gradsim, case, folder))
        wrong = [f"{what} is off by {size:.1e}" for what, size in off if not size <= TOLERANCE]
        title = f"{case[0]}, {'-'.join(map(str, case[3]))}, {DTYPES[case[4]]}"
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if wrong:
            print(f"not ok - {title} # {'; '.join(wrong)}")
        elif "-v" in sys.argv:
            print(f"ok - {title}, {max(size for _, size in off):.1e} at most")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
