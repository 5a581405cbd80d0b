"""Small networks, their data and PyTorch's own losses, for the tests of this folder."""

import copy

import torch
from torch import nn


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 4))


def cnn():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(8, 16, 3, stride=2), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(16, 4))


SHAPES = {mlp: (8, 12), cnn: (4, 3, 12, 12)}


def batches(make, count=3):
    generator = torch.Generator().manual_seed(1)
    shape = SHAPES[make]
    return [(torch.randn(shape, generator=generator), torch.randint(0, 4, shape[:1], generator=generator))
            for _ in range(count)]


def losses_of_pytorch(model, loss_fn, make_optimizer, data, steps, after_step=lambda optimizer: None):
    """The losses of an ordinary loop on a copy of the model, and that copy."""
    model = copy.deepcopy(model)
    optimizer = make_optimizer(model.parameters())
    losses = []
    for k in range(steps):
        x, y = data[k % len(data)]
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        after_step(optimizer)
        losses.append(loss.item())
    return losses, model
