"""Decompositions of operators that put elements in order: medians, the most frequent, places among sorted ones."""

import torch

from opendojo.decompositions import made_of_others, places_along

_aten = torch.ops.aten
_INFINITY = float("inf")



def _picked(values, places, k, dim, keepdim):
    """Element k along a dimension of both."""
    picked = [one.narrow(dim, k, 1) for one in (values, places)]
    return tuple(picked if keepdim else [one.squeeze(dim) for one in picked])


@made_of_others(_aten.kthvalue.default)
def _kthvalue(x, k, dim=-1, keepdim=False):
    if x.dim() == 0:
        return x.clone(), torch.zeros_like(x, dtype=torch.int64)
    return _picked(*torch.sort(x, dim=dim, stable=True), k - 1, dim, keepdim)


@made_of_others(_aten.median.dim)
def _median_along(x, dim, keepdim=False):
    if x.dim() == 0:
        return x.clone(), torch.zeros_like(x, dtype=torch.int64)
    middle, place = _picked(*torch.sort(x, dim=dim, stable=True), (x.shape[dim] - 1) // 2, dim, keepdim)
    none = torch.isnan(x)
    has_none = none.any(dim, keepdim)
    return torch.where(has_none, torch.nan, middle), torch.where(has_none, none.to(torch.int64).argmax(dim, keepdim), place)


@made_of_others(_aten.nanmedian.dim)
def _nanmedian_along(x, dim, keepdim=False):
    if x.dim() == 0:
        return x.clone(), torch.zeros_like(x, dtype=torch.int64)
    values, places = torch.sort(x, dim=dim, stable=True)  # what is no number comes last
    count = (~torch.isnan(x)).sum(dim, keepdim=True)
    middle = torch.div((count - 1).clamp(min=0), 2, rounding_mode="floor")
    picked = [one.gather(dim, middle) for one in (values, places)]
    return tuple(picked if keepdim else [one.squeeze(dim) for one in picked])


@made_of_others(_aten.median.default)
def _median(x):
    return x.new_full((), torch.nan) if x.numel() == 0 else _median_along(x.reshape(-1), 0)[0]


@made_of_others(_aten.nanmedian.default)
def _nanmedian(x):
    return x.new_full((), torch.nan) if x.numel() == 0 else _nanmedian_along(x.reshape(-1), 0)[0]


@made_of_others(_aten.mode.default)
def _mode(x, dim=-1, keepdim=False):
    """The least of those that are most frequent, and its last place."""
    if x.dim() == 0:
        return x.clone(), torch.zeros_like(x, dtype=torch.int64)
    dim %= x.dim()
    counts = (x.unsqueeze(dim) == x.unsqueeze(dim + 1)).sum(dim + 1)
    most = counts.amax(dim, keepdim=True)
    value = torch.where(counts == most, x, _INFINITY).amin(dim, keepdim=True)
    place = torch.where(x == value, places_along(x, dim), -1).amax(dim, keepdim=True)
    return (value, place) if keepdim else (value.squeeze(dim), place.squeeze(dim))


@made_of_others(_aten.searchsorted.Tensor)
def _searchsorted(boundaries, values, *, out_int32=False, right=False, side=None, sorter=None):
    if sorter is not None:
        boundaries = boundaries.gather(-1, sorter)
    behind = torch.le if right or side == "right" else torch.lt
    if boundaries.dim() > 1:
        boundaries = boundaries.unsqueeze(-2)
    return behind(boundaries, values.unsqueeze(-1)).sum(-1, dtype=torch.int32 if out_int32 else torch.int64)


@made_of_others(_aten.searchsorted.Scalar)
def _searchsorted_number(boundaries, value, **how):
    return _searchsorted(boundaries, torch.full((), value, dtype=boundaries.dtype), **how)


@made_of_others(_aten.bucketize.Tensor)
def _bucketize(x, boundaries, *, out_int32=False, right=False):
    return _searchsorted(boundaries, x, out_int32=out_int32, right=right)


@made_of_others(_aten.bucketize.Scalar)
def _bucketize_number(x, boundaries, **how):
    return _searchsorted_number(boundaries, x, **how)
