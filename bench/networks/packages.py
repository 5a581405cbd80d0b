"""Packages of published networks, where they are installed."""

import functools
import importlib
import sys

import torch

_OPS = []  # keeps what is declared


def _forget(package):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


def _import_vision():
    """torchvision, whose wheel does not import beside a PyTorch of another build: its own operators are then missing, and
    the import asks for two of them."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        _forget("torchvision")
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _OPS.append(library)
        import torchvision  # noqa: F401


@functools.cache
def is_there(package):
    """Whether it can be imported; it has been then."""
    try:
        if package in ("timm", "torchvision", "transformers"):
            _try_vision()
        importlib.import_module(package)
    except Exception:  # whatever keeps the package from being imported
        return False
    return True


@functools.cache
def _try_vision():
    try:
        _import_vision()
    except ImportError:
        pass


def version(package):
    return importlib.import_module(package).__version__.split("+")[0]
