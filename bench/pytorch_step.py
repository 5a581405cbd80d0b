"""Times PyTorch's PilotNet training step: batch 354, two threads, random frames. Prints frames per CPU-second (median of the steps).

usage: pytorch_step.py [STEPS]
"""
import pathlib
import statistics
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "validate"))
from network import pilotnet  # noqa: E402

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 12
torch.set_num_threads(2)
network = pilotnet()
optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
inputs, labels = torch.randn(354, 3, 66, 200), torch.randn(354, 1)
rates = []
for step in range(steps):
    begin = time.process_time()
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(network(inputs), labels).backward()
    optimizer.step()
    rates.append(354 / (time.process_time() - begin))
print(f"{statistics.median(rates[2:]):.1f}")
