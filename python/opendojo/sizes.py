"""Shapes that vary: what stands for PyTorch's symbols in one program, and samples that are left out of a batch.

A program has fixed shapes. One that serves several batch sizes is made for the largest of them: what is given of a
smaller batch is filled up with zeros, sums over the samples leave those out (src/graph/valid_samples.h), results are
cut again, and numbers that depend on the size, as that of a mean, come with every run.
"""

import torch

FIRST = (0, 1, 1)  # samples along dimension 0, merged with nothing: opendojo.library.Described


def symbols_of(value):
    """Those that a size or number depends on."""
    return value.node.expr.free_symbols if isinstance(value, (torch.SymInt, torch.SymFloat)) else frozenset()


def value_at(value, sizes):
    """A size or number with these in place of its symbols."""
    if not isinstance(value, (torch.SymInt, torch.SymFloat)):
        return value
    kind = int if isinstance(value, torch.SymInt) else float
    return kind(value.node.expr.subs(sizes))


def hints_of(tensors):
    """The sizes with which PyTorch has traced, by symbol."""
    hints = {}
    for value in tensors:
        for extent in value.shape if isinstance(value, torch.Tensor) else [value]:
            if isinstance(extent, torch.SymInt) and extent.node.expr.is_symbol:
                hints[extent.node.expr] = extent.node.hint
    return hints


def sizes_of(values, given):
    """The sizes in what a graph is given, by symbol; `values` are the graph's own placeholders."""
    sizes = {}
    for value, real in zip(values, given):
        pairs = zip(value.shape, real.shape) if isinstance(value, torch.Tensor) else [(value, real)]
        for extent, number in pairs:
            if isinstance(extent, torch.SymInt) and extent.node.expr.is_symbol:
                sizes[extent.node.expr] = number
    return sizes


class Sizes:
    """Of one program: `fixed` by symbol; `batch` is the symbol of the samples if some may be left out, else None."""

    def __init__(self, fixed, batch=None):
        self.fixed, self.batch = fixed, batch

    def extent(self, value):
        """The program's, of a size of PyTorch's; None if nothing is known of it."""
        return value_at(value, self.fixed) if symbols_of(value) <= self.fixed.keys() else None

    def is_known(self, value):
        """Whether it is a size, or a number made of sizes, and none that the graph computes."""
        return isinstance(value, (torch.SymInt, torch.SymFloat)) and symbols_of(value) <= self.fixed.keys()

    def varies(self, value):
        """The dimensions of a tensor that depend on how many samples there are."""
        return [d for d, extent in enumerate(value.shape) if self.batch is not None and self.batch in symbols_of(extent)]


def filled_up(tensor, place, samples, capacity):
    """With zeros for samples that are left out. The tensor holds `samples` at `place`."""
    if samples == capacity:
        return tensor
    d, outer, inner = place
    before, behind = tensor.shape[:d], tensor.shape[d + 1:]
    whole = tensor.new_zeros(*before, outer, capacity, inner, *behind)
    whole.narrow(d + 1, 0, samples).copy_(tensor.reshape(*before, outer, samples, inner, *behind))
    return whole.reshape(*before, outer * capacity * inner, *behind)


def cut(tensor, place, samples, capacity):
    """Without samples that are left out."""
    if samples == capacity:
        return tensor
    d, outer, inner = place
    before, behind = tensor.shape[:d], tensor.shape[d + 1:]
    kept = tensor.reshape(*before, outer, capacity, inner, *behind).narrow(d + 1, 0, samples)
    return kept.reshape(*before, outer * samples * inner, *behind).contiguous()
