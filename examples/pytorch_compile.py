"""A loop of PyTorch's with one line more: pip install . and torch, then python3 examples/pytorch_compile.py"""
import torch
from torch import nn

import opendojo

torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 4))
data = torch.utils.data.TensorDataset(torch.randn(21, 1, 8, 8), torch.randint(0, 4, (21, )))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)

compiled = torch.compile(model, backend="opendojo", options={"machine": "test6"})  # this line
for epoch in range(6):
    for images, classes in torch.utils.data.DataLoader(data, batch_size=8, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(compiled(images), classes)
        loss.backward()
        optimizer.step()
report = opendojo.report()
print(f"loss {loss.item():.3f}, {len(report.programs)} programs, {report.outside_share:.0%} of a step outside of the machine")
