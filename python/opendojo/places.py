"""Decompositions of operators that bring elements to places."""

import math

import torch
from torch.utils import _pytree

from opendojo.decompositions import lifted, made_of_others, places_along, product_along

_aten = torch.ops.aten
_INFINITY = float("inf")



def _flat_scatter(x, places, source):
    return x.reshape(-1).scatter(0, places.reshape(-1), source.reshape(-1)).reshape(x.shape)


@made_of_others(_aten.diagonal_scatter.default)
def _diagonal_scatter(x, source, offset=0, dim1=0, dim2=1):
    places = torch.arange(x.numel()).reshape(x.shape).diagonal(offset, dim1, dim2)
    return _flat_scatter(x, places, source)


def _strided_places(x, size, stride, offset):
    """Places in dense memory, which x must fill."""
    offset = offset or 0
    last = offset + sum((extent - 1) * step for extent, step in zip(size, stride))
    if not x.is_contiguous() or x.storage_offset() != 0 or last >= x.numel():
        return NotImplemented
    places = torch.full((), offset, dtype=torch.int64)
    for extent, step in zip(size, stride):
        places = places.unsqueeze(-1) + torch.arange(extent) * step
    return places


@made_of_others(_aten.as_strided.default, _aten.as_strided_copy.default)
def _as_strided(x, size, stride, storage_offset=None):
    if 0 in size:
        return x.new_empty(size)
    places = _strided_places(x, size, stride, storage_offset)
    return places if places is NotImplemented else x.reshape(-1)[places]


@made_of_others(_aten.as_strided_scatter.default)
def _as_strided_scatter(x, source, size, stride, storage_offset=None):
    if 0 in size:
        return x.clone()
    places = _strided_places(x, size, stride, storage_offset)
    return places if places is NotImplemented else _flat_scatter(x, places, source)


@made_of_others(_aten.put.default)
def _put(x, index, source, accumulate=False):
    index, source = index.reshape(-1), source.reshape(-1)
    if index.numel() == 0:
        return x.clone()
    return torch.index_put(x.reshape(-1), (index, ), source, accumulate).reshape(x.shape)


@made_of_others(_aten.masked_scatter.default)
def _masked_scatter(x, mask, source):
    shape = torch.broadcast_shapes(x.shape, mask.shape)
    x, mask = x.expand(shape), mask.expand(shape)
    if x.numel() == 0:
        return x.clone()
    rank = mask.reshape(-1).to(torch.int64).cumsum(0) - 1
    taken = source.reshape(-1)[rank.clamp(0, source.numel() - 1)].reshape(shape)
    return torch.where(mask, taken, x)


@made_of_others(_aten.masked_scatter_backward.default)
def _masked_scatter_backward(gradient, mask, sizes):
    count = math.prod(sizes)
    if gradient.numel() == 0 or count == 0:
        return gradient.new_zeros(sizes)
    mask = mask.expand(gradient.shape)
    rank = mask.reshape(-1).to(torch.int64).cumsum(0) - 1
    kept = torch.where(mask, gradient, 0.0).reshape(-1)
    return gradient.new_zeros(count).scatter_add(0, rank.clamp(0, count - 1), kept).reshape(sizes)


_REDUCTIONS = {
    "sum": (0.0, lambda x, dim: x.sum(dim)),
    "mean": (0.0, lambda x, dim: x.sum(dim)),
    "prod": (1.0, lambda x, dim: product_along(x, dim).squeeze(dim)),
    "amax": (-_INFINITY, lambda x, dim: x.amax(dim)),
    "amin": (_INFINITY, lambda x, dim: x.amin(dim)),
}


@made_of_others(_aten.scatter_reduce.two)
def _scatter_reduce(x, dim, index, source, reduce, *, include_self=True):
    """Every place asks every update whether it is meant; NotImplemented where the machine has a row."""
    if index.numel() == 0:
        return x.clone()
    if x.dim() == 0:
        made = torch.scatter_reduce(x.reshape(1), 0, index.reshape(1), source.reshape(1), reduce, include_self=include_self)
        return made.reshape(())
    if include_self and reduce in ("sum", "amax", "amin"):
        return NotImplemented
    dim %= x.dim()
    identity, reduction = _REDUCTIONS[reduce]
    source = source[tuple(slice(0, extent) for extent in index.shape)]
    part = x[tuple(slice(0, extent) if d != dim else slice(None) for d, extent in enumerate(index.shape))]
    meant = index.unsqueeze(dim) == places_along(x, dim).unsqueeze(dim + 1)
    arriving = reduction(torch.where(meant, source.unsqueeze(dim), identity), dim + 1)
    count = meant.sum(dim + 1)
    own = part if include_self else torch.where(count > 0, identity, part)
    joined = reduction(torch.stack([own, arriving]), 0)
    if reduce == "mean":
        joined = joined / (count + (1 if include_self else 0)).clamp(min=1)
    if part.shape == x.shape:
        return joined
    inside = torch.ones(part.shape, dtype=torch.bool)
    pads = [pad for have, want in zip(reversed(part.shape), reversed(x.shape)) for pad in (0, want - have)]
    return torch.where(_aten.constant_pad_nd(inside, pads, 0), _aten.constant_pad_nd(joined, pads, 0), x)


@made_of_others(_aten.scatter.reduce)
def _scatter_with(x, dim, index, source, *, reduce):
    return torch.scatter_reduce(x, dim, index, source, {"add": "sum", "multiply": "prod"}[reduce])


@made_of_others(_aten.scatter.value_reduce)
def _scatter_number_with(x, dim, index, value, *, reduce):
    return _scatter_with(x, dim, index, torch.full(index.shape, value, dtype=x.dtype), reduce=reduce)


@made_of_others(_aten.index_reduce.default)
def _index_reduce(x, dim, index, source, reduce, *, include_self=True):
    if x.dim() == 0:
        return _index_reduce(x.reshape(1), 0, index.reshape(-1), source.reshape(-1), reduce, include_self=include_self).reshape(())
    shape = [1] * x.dim()
    shape[dim] = -1
    index = index.reshape(shape).expand(source.shape)
    return torch.scatter_reduce(x, dim, index, source, reduce, include_self=include_self)


def _has_none(x):
    """Whether it is known to have no elements; sizes that vary are not asked."""
    return any(isinstance(extent, int) and extent == 0 for extent in x.shape)


def _puts(overload, index_at):
    """Elements brought to places: none leave the tensor as it is; the first dimension of one without is its only element."""

    @made_of_others(overload)
    def put(x, *args, **kwargs):
        if any(_has_none(one) for one in _pytree.tree_leaves(args[index_at:]) if isinstance(one, torch.Tensor)):
            return x.clone()
        if x.dim() != 0 or overload is _aten.index_put.default:
            return NotImplemented
        return overload(x.reshape(1), *[lifted(one) for one in args], **kwargs).reshape(())


for _overload, _index_at in ((_aten.scatter.src, 1), (_aten.scatter.value, 1), (_aten.scatter_add.default, 1),
                             (_aten.index_put.default, 0), (_aten.slice_scatter.default, 0)):
    _puts(_overload, _index_at)


@made_of_others(_aten.tril_indices.default)
def _tril_indices(rows, columns, offset=0, **how):
    return torch.tensor([[r, c] for r in range(rows) for c in range(max(0, min(columns, r + offset + 1)))]).reshape(-1, 2).T


@made_of_others(_aten.triu_indices.default)
def _triu_indices(rows, columns, offset=0, **how):
    return torch.tensor([[r, c] for r in range(rows) for c in range(max(0, r + offset), columns)]).reshape(-1, 2).T
