"""Random numbers. PyTorch's operators take the next numbers of a generator; on the machine a draw is a function of the
seed, of the run, of the operator and of the element, so that the number of nodes changes nothing.

opendojo::uniform(like, number) stands for it in graphs: from [0, 1), in the shape of `like`, `number` being the
operator's. decompositions() makes PyTorch's own of it. Seeds and runs are whole numbers below 2^24.
"""

import contextlib
import dataclasses
import itertools
import math

import torch

_aten = torch.ops.aten
LIMIT = 1 << 24

_library = torch.library.Library("opendojo", "DEF")
_library.define("uniform(Tensor like, int number) -> Tensor")


@dataclasses.dataclass
class Draws:
    """Which draws come next: the seed, PyTorch's own unless one is given, and the number of the run."""

    seed: int = None
    launch: int = 0

    def __post_init__(self):
        self.seed = (torch.initial_seed() if self.seed is None else self.seed) % LIMIT

    def numbers(self):
        return {SEED: float(self.seed), LAUNCH: float(self.launch % LIMIT)}


SEED, LAUNCH = "draw.seed", "draw.launch"  # inputs of a program that draws

_now = Draws(0)  # what the operator draws where PyTorch itself runs it
_numbers = itertools.count()


@contextlib.contextmanager
def numbered_anew():
    """While it lasts operators that draw are numbered from 0: the same function traced again draws the same."""
    global _numbers
    former, _numbers = _numbers, itertools.count()
    try:
        yield
    finally:
        _numbers = former


@contextlib.contextmanager
def drawn_with(draws):
    """While it lasts PyTorch draws these."""
    global _now
    former, _now = _now, draws
    try:
        yield
    finally:
        _now = former


# --- The operator: src/numerics/scalar_random.h and src/onnx/aten_random.cpp ---

_WORD = (1 << 32) - 1


def _mixed(x):
    x = (x ^ (x >> 16)) * 0x7feb352d & _WORD
    x = (x ^ (x >> 15)) * 0x846ca68b & _WORD
    return x ^ (x >> 16)


def _bits(numbers):
    return torch.as_tensor(numbers, dtype=torch.float32).view(torch.int32).to(torch.int64) & _WORD


def uniform(key, launch, point):
    """Draws as the machine makes them, of whole numbers below 2^24."""
    stream = _mixed((_mixed((_bits(key) + 0x9e3779b9) & _WORD) + _bits(launch)) & _WORD)
    drawn = _mixed((_mixed(stream ^ _bits(point)) + stream) & _WORD)
    return (drawn >> 8).to(torch.float32) * 2.0**-24


@torch.library.impl(_library, "uniform", "CPU")
def _uniform(like, number):
    key = uniform(_now.seed, number, 0) * LIMIT
    return uniform(key, _now.launch % LIMIT, torch.arange(like.numel())).reshape(like.shape)


@torch.library.impl(_library, "uniform", "Meta")
def _uniform_shape(like, number):
    return torch.empty(like.shape, dtype=torch.float32, device=like.device)


# --- PyTorch's operators by it ---


def _draw(like):
    return torch.ops.opendojo.uniform(like, next(_numbers))


def _normal(like):
    """Box and Muller's: the logarithm is of a number that is not 0."""
    return torch.sqrt(-2 * torch.log(1 - _draw(like))) * torch.cos(2 * math.pi * _draw(like))


def _native_dropout(x, p, train):
    if train is False or p == 0:
        return x.clone(), torch.ones_like(x, dtype=torch.bool)
    kept = _draw(x) >= p
    return x * kept * (1 / (1 - p) if p < 1 else 0), kept


def _between(low, high, size, dtype):
    return torch.floor(_draw(torch.empty(size)) * (high - low)).to(dtype or torch.int64) + low


_DECOMPOSITIONS = {
    _aten.native_dropout.default: _native_dropout,
    _aten.bernoulli.default: lambda p, generator=None: (_draw(p) < p).to(p.dtype),
    _aten.bernoulli.p: lambda x, p=0.5, generator=None: (_draw(x) < p).to(x.dtype),
    _aten.rand.default: lambda size, dtype=None, **how: _draw(torch.empty(size)).to(dtype or torch.get_default_dtype()),
    _aten.rand_like.default: lambda x, dtype=None, **how: _draw(x).to(dtype or x.dtype),
    _aten.randn.default: lambda size, dtype=None, **how: _normal(torch.empty(size)).to(dtype or torch.get_default_dtype()),
    _aten.randn_like.default: lambda x, dtype=None, **how: _normal(x).to(dtype or x.dtype),
    _aten.randint.default: lambda high, size, dtype=None, **how: _between(0, high, size, dtype),
    _aten.randint.low: lambda low, high, size, dtype=None, **how: _between(low, high, size, dtype),
    _aten.uniform.default: lambda x, low=0.0, high=1.0, generator=None: _draw(x) * (high - low) + low,
    _aten.normal_functional.default: lambda x, mean=0.0, std=1.0, generator=None: _normal(x) * std + mean,
    _aten.normal.Tensor_float: lambda mean, std=1.0, generator=None: _normal(mean) * std + mean,
    _aten.normal.Tensor_Tensor: lambda mean, std, generator=None: _normal(mean + std) * std + mean,
    _aten.exponential.default: lambda x, lambd=1.0, generator=None: torch.log(1 - _draw(x)) * (-1 / lambd),
}


def decompositions():
    return _DECOMPOSITIONS
