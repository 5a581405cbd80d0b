"""A row of the table: an architecture, its data, its loss, and what was cut of it.

Everything is built from a configuration, with weights drawn from a seed. Nothing is downloaded.
"""

import dataclasses
import typing

import torch
from torch import nn
from torch.nn import functional as F


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    family: str
    make: typing.Callable  # () -> a module
    data: typing.Callable  # () -> (the module's arguments..., the target)
    cut: str  # against the published configuration; "nothing" where it is whole
    source: str  # what builds it: a package, or the paper by which it is written here
    loss: typing.Callable = F.cross_entropy  # (what the module gives, the target) -> a number
    optimizer: str = "sgd"  # of _OPTIMIZERS
    package: str = "torch"  # without which the row is skipped


_OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.001, momentum=0.9),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=1e-3),
}


def optimizer_of(row, model):
    return _OPTIMIZERS[row.optimizer]([parameter for parameter in model.parameters() if parameter.requires_grad])


class Picked(nn.Module):
    """A module that gives one tensor of what another gives: by the name of a field, or by a function."""

    def __init__(self, inner, pick):
        super().__init__()
        self.inner, self._pick = inner, pick

    def forward(self, *arguments):
        given = self.inner(*arguments)
        return getattr(given, self._pick) if isinstance(self._pick, str) else self._pick(given)


def pictures(size=32, batch=4, classes=10, channels=3):
    return lambda: (torch.randn(batch, channels, size, size), torch.randint(0, classes, (batch, )))


def maps(size=32, batch=2, classes=8, channels=3, stride=1):
    """Pictures with a class for each of their pixels, or for each square of `stride` of them."""
    return lambda: (torch.randn(batch, channels, size, size), torch.randint(0, classes, (batch, size // stride, size // stride)))


def restored(size=32, batch=2, channels=3):
    """Pictures that are to be given back."""

    def make():
        x = torch.randn(batch, channels, size, size)
        return x, x.clone()

    return make


def texts(words=64, tokens=16, batch=2):
    """The next token of each."""

    def make():
        text = torch.randint(0, words, (batch, tokens + 1))
        return text[:, :-1].contiguous(), text[:, 1:].contiguous()

    return make


def classed_texts(words=64, tokens=16, batch=4, classes=4):
    return lambda: (torch.randint(0, words, (batch, tokens)), torch.randint(0, classes, (batch, )))


def per_token(given, target):
    """Cross entropy where classes are the last dimension."""
    return F.cross_entropy(given.flatten(0, -2), target.flatten())
