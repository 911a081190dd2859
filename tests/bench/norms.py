"""norms.py LAYERS WIDTH BATCH DTYPE: the norm of dL/dW of every layer of a sigmoid network, by PyTorch."""
import sys

import torch

depth, width, batch = map(int, sys.argv[1:4])
torch.set_default_dtype({"f64": torch.float64, "f32": torch.float32}[sys.argv[4]])
layers = [torch.nn.Linear(width, width) for _ in range(depth)]
x = torch.randn(batch, width)
for layer in layers:
    torch.nn.init.xavier_normal_(layer.weight)
    x = torch.sigmoid(layer(x))
torch.nn.functional.mse_loss(x, torch.randn(batch, width)).backward()
for number, layer in enumerate(layers, 1):
    print(number, layer.weight.grad.norm().item())
