"""A training step of PyTorch's on the machine: pip install . and torch, then python3 examples/pytorch_step.py"""
import torch
from torch import nn

import opendojo

torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 4))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
images, classes = torch.randn(16, 1, 8, 8), torch.randint(0, 4, (16, ))

step = opendojo.train_step(model, nn.CrossEntropyLoss(), optimizer, machine="test6")
for k in range(20):
    loss = step(images, classes)
print(f"loss {loss.item():.3f} after 20 steps, {step.report().cycles} cycles of the machine a step")
