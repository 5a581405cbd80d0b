"""PyTorch's list of operators as nodes: what is tried of an entry, its samples, and how close results must come."""

import random
import typing

import numpy
import torch
from torch.testing._internal.common_device_type import toleranceOverride
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import DecorateInfo

DEVICE = "cpu"

# What an entry is tried with: values of two types, gradients, and calls that PyTorch refuses.
FLOAT32, BFLOAT16, GRADIENT, ERRORS = KINDS = ("float32", "bfloat16", "gradient", "errors")

_TYPES = {FLOAT32: torch.float32, BFLOAT16: torch.bfloat16, GRADIENT: torch.float32, ERRORS: torch.float32}

# Entries whose values PyTorch leaves open, so that there is nothing to compare with.
_UNDEFINED = ("empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided")


class Tolerance(typing.NamedTuple):
    relative: float
    absolute: float


class Node(typing.NamedTuple):
    entry: object  # an OpInfo
    kind: str

    @property
    def name(self):
        return f"{self.entry.full_name} {self.kind}"

    @property
    def dtype(self):
        return _TYPES[self.kind]

    @property
    def is_undefined(self):
        """Whether PyTorch leaves the values open: unwritten memory; which place of equal elements `mode` names."""
        return self.entry.name in _UNDEFINED or (self.entry.name == "mode" and self.kind == BFLOAT16)

    def samples(self):
        """The same ones in every run."""
        torch.manual_seed(0), random.seed(0), numpy.random.seed(0)
        yield from self.entry.sample_inputs(DEVICE, self.dtype, requires_grad=self.kind == GRADIENT)

    def refused_samples(self):
        """Calls that PyTorch refuses, each as (sample, the error that PyTorch raises)."""
        torch.manual_seed(0), random.seed(0), numpy.random.seed(0)
        for error in self.entry.error_inputs(DEVICE):
            yield error.sample_input, error.error_type

    def tolerance(self):
        """The widest that the entry declares for this type, for a test on the CPU or on any device; without one that of
        torch.testing."""
        declared = [Tolerance(*_DEFAULTS[self.dtype])]
        for decorator in self.entry.decorators:
            if isinstance(decorator, DecorateInfo):
                if decorator.device_type not in (None, DEVICE):
                    continue
                parts = decorator.decorators
            else:
                parts = [decorator]
            for part in parts:
                if isinstance(part, toleranceOverride) and self.dtype in part.d:
                    own = part.d[self.dtype]
                    declared.append(Tolerance(own.rtol, own.atol))
        return Tolerance(max(one.relative for one in declared), max(one.absolute for one in declared))


# torch.testing.assert_close
_DEFAULTS = {torch.float32: (1.3e-6, 1e-5), torch.bfloat16: (1.6e-2, 1e-5)}


def _kinds_of(entry):
    if torch.float32 in entry.supported_dtypes(DEVICE):
        yield FLOAT32
        if entry.supports_autograd and torch.float32 in entry.supported_backward_dtypes(DEVICE):
            yield GRADIENT
    if torch.bfloat16 in entry.supported_dtypes(DEVICE):
        yield BFLOAT16
    if entry.error_inputs_func is not None:
        yield ERRORS


def all_nodes():
    """In the order of the list, which is PyTorch's."""
    return [Node(entry, kind) for entry in op_db for kind in _kinds_of(entry)]
