"""Operators that PyTorch has in one piece, made of those that the machine has rows for: what PyTorch's own list of
decompositions leaves out.

A table: a function under the overloads that it stands for. Tensors of bfloat16 are widened first and the results rounded once,
as PyTorch's kernels for a CPU do. What depends on values for its shape is not among them.
"""

import functools
import math

import torch
from torch.utils import _pytree
from torch.utils._python_dispatch import _disable_current_modes

_aten = torch.ops.aten
_INFINITY = float("inf")

OWN = {}


def made_of_others(*overloads):
    """Enters a function under these overloads."""

    def enter(function):

        @functools.wraps(function)
        def widened(*args, **kwargs):
            given = _pytree.tree_leaves((args, kwargs))
            if not any(isinstance(one, torch.Tensor) and one.dtype == torch.bfloat16 for one in given):
                return function(*args, **kwargs)
            wide = lambda one: one.float() if isinstance(one, torch.Tensor) and one.dtype == torch.bfloat16 else one
            narrow = lambda one: one.bfloat16() if isinstance(one, torch.Tensor) and one.dtype == torch.float32 else one
            args, kwargs = _pytree.tree_map(wide, (args, kwargs))
            return _pytree.tree_map(narrow, function(*args, **kwargs))

        for overload in overloads:
            OWN[overload] = widened
        return function

    return enter


# --- Along a dimension ---


def product_along(x, dim):
    """Kept as a dimension of one: halves are multiplied until one element is left."""
    count = x.shape[dim]
    if count == 0:
        shape = list(x.shape)
        shape[dim] = 1
        return x.new_ones(shape)
    while count > 1:
        half = count // 2
        joined = x.narrow(dim, 0, half) * x.narrow(dim, half, half)
        x = joined if count % 2 == 0 else torch.cat([joined, x.narrow(dim, 2 * half, 1)], dim)
        count -= half
    return x


@made_of_others(_aten.prod.default)
def _prod(x, *, dtype=None):
    x = _summed_type(x, dtype)
    return product_along(x.reshape(-1), 0).reshape(())


@made_of_others(_aten.prod.dim_int)
def _prod_along(x, dim, keepdim=False, *, dtype=None):
    x = _summed_type(x, dtype)
    if x.dim() == 0:
        return x.clone()
    x = product_along(x, dim)
    return x if keepdim else x.squeeze(dim)


def _summed_type(x, dtype):
    """Sums and products of whole numbers are int64."""
    if dtype is not None:
        return x.to(dtype)
    return x if x.is_floating_point() else x.to(torch.int64)


def _running(parts, dim, join):
    """What `join` makes of all elements up to each: of runs of 1, 2, 4... elements."""
    count, length = parts[0].shape[dim], 1
    while length < count:
        earlier = [part.narrow(dim, 0, count - length) for part in parts]
        later = [part.narrow(dim, length, count - length) for part in parts]
        joined = join(earlier, later)
        parts = [torch.cat([part.narrow(dim, 0, length), one], dim) for part, one in zip(parts, joined)]
        length *= 2
    return parts


@made_of_others(_aten.cumprod.default)
def _cumprod(x, dim, *, dtype=None):
    x = _summed_type(x, dtype)
    return x.clone() if x.dim() == 0 else _running([x], dim, lambda a, b: [a[0] * b[0]])[0]


@made_of_others(_aten.logcumsumexp.default)
def _logcumsumexp(x, dim):
    """Of each sum the largest element is kept apart, so that one rounding is of its size."""
    if x.dim() == 0:
        return x.clone()
    dim %= x.dim()
    largest = _running([x], dim, lambda a, b: [torch.maximum(a[0], b[0])])[0]
    size = torch.where(torch.isinf(largest), 0.0, largest)
    places = _places(x, dim)
    counts = places.unsqueeze(dim) <= places.unsqueeze(dim + 1)
    summed = torch.where(counts, torch.exp(x.unsqueeze(dim) - size.unsqueeze(dim + 1)), 0.0).sum(dim + 1)
    return torch.where(torch.isinf(largest), largest, size + torch.log(summed))


def _places(x, dim):
    shape = [1] * x.dim()
    shape[dim] = x.shape[dim]
    return torch.arange(x.shape[dim], device=x.device).reshape(shape)


def _running_extreme(x, dim, no_worse):
    """With the place of the last one; NaN is the extreme of all."""
    if x.dim() == 0:
        return x.clone(), torch.zeros_like(x, dtype=torch.int64)

    def join(earlier, later):
        taken = torch.isnan(later[0]) | (~torch.isnan(earlier[0]) & no_worse(later[0], earlier[0]))
        return [torch.where(taken, b, a) for a, b in zip(earlier, later)]

    return tuple(_running([x, _places(x, dim).expand(x.shape)], dim, join))


@made_of_others(_aten.cummax.default)
def _cummax(x, dim):
    return _running_extreme(x, dim, torch.ge)


@made_of_others(_aten.cummin.default)
def _cummin(x, dim):
    return _running_extreme(x, dim, torch.le)


# --- In order ---


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
    place = torch.where(x == value, _places(x, dim), -1).amax(dim, keepdim=True)
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


# --- Elements brought to places ---


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
    meant = index.unsqueeze(dim) == _places(x, dim).unsqueeze(dim + 1)
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


# --- Element by element ---


@made_of_others(_aten.copysign.Tensor)
def _copysign(x, sign):
    return torch.where(torch.signbit(sign), -x.abs(), x.abs())


@made_of_others(_aten.copysign.Scalar)
def _copysign_number(x, sign):
    return -x.abs() if math.copysign(1, sign) < 0 else x.abs()


@made_of_others(_aten.angle.default)
def _angle(x):
    x = x if x.is_floating_point() else x.float()
    return torch.where(torch.isnan(x), x, torch.where(x < 0, math.pi, 0.0))


@made_of_others(_aten.round.decimals)
def _round(x, *, decimals):
    factor = 10.0**abs(decimals)
    return torch.round(x * factor) / factor if decimals >= 0 else torch.round(x / factor) * factor


@made_of_others(_aten.frexp.Tensor)
def _frexp(x):
    """x = fraction * 2 ** exponent with 0.5 <= |fraction| < 1."""
    size = x.abs()
    is_number = (size > 0) & (size < _INFINITY)
    exponent = torch.where(is_number, torch.log2(torch.where(is_number, size, 1.0)).floor() + 1, 0.0)
    half = (exponent / 2).floor()  # two factors: one may be no number of FP32
    fraction = x * torch.exp2(-half) * torch.exp2(half - exponent)
    too_large, too_small = fraction.abs() >= 1, fraction.abs() < 0.5
    scale = torch.where(is_number & too_large, 0.5, torch.where(is_number & too_small, 2.0, 1.0))
    step = torch.where(is_number & too_large, 1.0, torch.where(is_number & too_small, -1.0, 0.0))
    return fraction * scale, (exponent + step).clamp(-200, 200).to(torch.int32)


@made_of_others(_aten.remainder.Scalar_Tensor)
def _remainder_of_number(number, x):
    return torch.remainder(torch.full((), number, dtype=x.dtype), x)


@made_of_others(_aten.binary_cross_entropy_with_logits.default)
def _bce_with_logits(x, target, weight=None, pos_weight=None, reduction=1):
    factor = 1 if pos_weight is None else 1 + (pos_weight - 1) * target
    lost = (1 - target) * x + factor * (torch.log1p(torch.exp(-x.abs())) + torch.relu(-x))
    lost = lost if weight is None else lost * weight
    return lost if reduction == 0 else lost.mean() if reduction == 1 else lost.sum()


@made_of_others(_aten.rrelu_with_noise_functional.default)
def _rrelu(x, noise, lower=0.125, upper=1.0 / 3, training=False, generator=None):
    if training:
        return NotImplemented  # random
    return torch.where(x < 0, x * ((lower + upper) / 2), x), noise.clone()


def _shrink_backward(gradient, x, lambd):
    return torch.where(x.abs() <= lambd, 0.0, gradient)


made_of_others(_aten.softshrink_backward.default, _aten.hardshrink_backward.default)(_shrink_backward)


@made_of_others(_aten._efficientzerotensor.default)
def _no_gradient(size, *, dtype=None, **how):
    return torch.zeros(size, dtype=dtype)


# --- Products and distances ---


@made_of_others(_aten.addbmm.default)
def _addbmm(x, first, second, *, beta=1, alpha=1):
    summed = torch.bmm(first, second).sum(0)
    return alpha * summed if beta == 0 else beta * x + alpha * summed


def _norm_along(x, p):
    size = x.abs()
    if p == 0:
        return (size != 0).to(x.dtype).sum(-1)
    if p == _INFINITY:
        return size.amax(-1)
    if p == 1:
        return size.sum(-1)
    return (size * size).sum(-1).sqrt() if p == 2 else (size**p).sum(-1)**(1 / p)


def _norm_slope(difference, p, norm):
    """Of the norm along the last dimension, by each difference; 0 where there is none."""
    norm = norm.unsqueeze(-1)
    if p == 0:
        return torch.zeros_like(difference)
    if p == 1:
        return torch.sign(difference)
    if p == _INFINITY:
        return torch.sign(difference) * (difference.abs() == norm)
    if p == 2:
        return torch.where(norm == 0, 0.0, difference / norm)
    slope = torch.sign(difference) * difference.abs()**(p - 1) / norm**(p - 1)
    return torch.where((norm == 0) | (difference == 0), 0.0, slope)


@made_of_others(_aten._cdist_forward.default)
def _cdist(first, second, p, compute_mode):
    return _norm_along(first.unsqueeze(-2) - second.unsqueeze(-3), p)


@made_of_others(_aten._cdist_backward.default)
def _cdist_backward(gradient, first, second, p, distance):
    difference = first.unsqueeze(-2) - second.unsqueeze(-3)
    if difference.numel() == 0:
        return torch.zeros_like(first)
    return (gradient.unsqueeze(-1) * _norm_slope(difference, p, distance)).sum(-2)


def _pairs(count):
    places = [(i, j) for i in range(count) for j in range(i + 1, count)]
    return [torch.tensor([pair[k] for pair in places], dtype=torch.int64) for k in range(2)]


@made_of_others(_aten._pdist_forward.default)
def _pdist(x, p=2.0):
    first, second = _pairs(x.shape[0])
    return _norm_along(x[first] - x[second], p)


@made_of_others(_aten._pdist_backward.default)
def _pdist_backward(gradient, x, p, distance):
    first, second = _pairs(x.shape[0])
    slope = gradient.unsqueeze(-1) * _norm_slope(x[first] - x[second], p, distance)
    return torch.zeros_like(x).index_add(0, first, slope).index_add(0, second, -slope)


# --- Copies of views ---


@made_of_others(_aten.narrow_copy.default)
def _narrow_copy(x, dim, start, length):
    return x.narrow(dim, start, length).clone()


@made_of_others(_aten.view_copy.default)
def _view_copy(x, size):
    return x.reshape(size).clone()


@made_of_others(_aten.permute_copy.default)
def _permute_copy(x, dims):
    return x.permute(dims).clone()


@made_of_others(_aten.unbind_copy.int)
def _unbind_copy(x, dim=0):
    return tuple(one.clone() for one in x.unbind(dim))


# --- Pooling into a given number of windows ---


def _window_places(extent, count):
    """Window i is [i * extent / count, ceil((i + 1) * extent / count)); shorter ones repeat their first element."""
    begins = [i * extent // count for i in range(count)]
    ends = [-((i + 1) * extent // -count) for i in range(count)]
    longest = max(end - begin for begin, end in zip(begins, ends))
    return torch.tensor([[min(begin + k, end - 1) for k in range(longest)] for begin, end in zip(begins, ends)])


def _adaptive_max_pool(x, size, rank):
    places = torch.zeros((), dtype=torch.int64)
    for extent, count in zip(x.shape[-rank:], size):
        window = _window_places(extent, count)
        # [.., counts..] of places with the windows' own dimensions behind them
        places = places.unsqueeze(-1).unsqueeze(-1) * extent + window
    order = [2 * d for d in range(rank)] + [2 * d + 1 for d in range(rank)]
    places = places.permute(order).reshape(*size, -1)
    taken = x.flatten(-rank)[..., places]
    values, inside = taken.max(-1)
    return values, places.expand(taken.shape).gather(-1, inside.unsqueeze(-1)).squeeze(-1)


@made_of_others(_aten.adaptive_max_pool2d.default)
def _adaptive_max_pool2d(x, output_size):
    return _adaptive_max_pool(x, output_size, 2)


@made_of_others(_aten.adaptive_max_pool3d.default)
def _adaptive_max_pool3d(x, output_size):
    return _adaptive_max_pool(x, output_size, 3)


def _adaptive_max_pool_backward(gradient, x, places, rank):
    flat = torch.zeros_like(x).flatten(-rank)
    return flat.scatter_add(-1, places.flatten(-rank), gradient.flatten(-rank)).reshape(x.shape)


@made_of_others(_aten.adaptive_max_pool2d_backward.default)
def _adaptive_max_pool2d_backward(gradient, x, places):
    return _adaptive_max_pool_backward(gradient, x, places, 2)


@made_of_others(_aten.adaptive_max_pool3d_backward.default)
def _adaptive_max_pool3d_backward(gradient, x, places):
    return _adaptive_max_pool_backward(gradient, x, places, 3)


# --- Tensors of no dimensions, and of no elements ---


def _lifted(one):
    return one.reshape(1) if isinstance(one, torch.Tensor) and one.dim() == 0 else one


def _as_vector(overload):
    """A tensor of no dimensions is taken for a vector of one element; of any other the machine has a row."""

    @made_of_others(overload)
    def lifted(x, *args, **kwargs):
        if x.dim() != 0:
            return NotImplemented
        args, kwargs = _pytree.tree_map(_lifted, (args, kwargs))
        return _pytree.tree_map(lambda one: one.reshape(()), overload(x.reshape(1), *args, **kwargs))


for _overload in (_aten._softmax.default, _aten._log_softmax.default, _aten.sort.default, _aten.sort.stable, _aten.topk.default,
                  _aten.cumsum.default, _aten.linalg_vector_norm.default, _aten.index_select.default, _aten.max.dim,
                  _aten.min.dim, _aten.amax.default, _aten.amin.default, _aten.argmax.default, _aten.argmin.default,
                  _aten.any.dim, _aten.all.dim, _aten.flip.default):
    _as_vector(_overload)


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
        return overload(x.reshape(1), *[_lifted(one) for one in args], **kwargs).reshape(())


for _overload, _index_at in ((_aten.scatter.src, 1), (_aten.scatter.value, 1), (_aten.scatter_add.default, 1),
                             (_aten.index_put.default, 0), (_aten.slice_scatter.default, 0)):
    _puts(_overload, _index_at)


@made_of_others(_aten.gather.default)
def _gather(x, dim, index, *, sparse_grad=False):
    if x.dim() != 0 and index.dim() != 0:
        return NotImplemented
    return _aten.gather.default(_lifted(x), dim, _lifted(index)).reshape(index.shape)


@made_of_others(_aten.detach_.default)
def _detach(x):
    return x.detach()


@made_of_others(_aten.new_empty_strided.default)
def _new_empty(x, size, stride, **how):
    """Written before it is read."""
    return x.new_zeros(size, dtype=how.get("dtype"))


# --- Linear maps along dimensions: resampling and padding ---


def _matrix_of(function, extent):
    """What a linear function of [1, 1, extent] makes of every unit vector: [extent, result]."""
    with _disable_current_modes():
        rows = function(torch.eye(extent).unsqueeze(1))
        rows = rows.reshape(extent, -1).tolist()
    return torch.tensor(rows)


def _along_each(x, maps, backwards):
    """The maps, one for each of the last dimensions, or their transposes."""
    for k, (function, extent) in enumerate(maps):
        matrix = _matrix_of(function, extent)
        dim = x.dim() - len(maps) + k
        x = (x.movedim(dim, -1) @ (matrix.mT if backwards else matrix)).movedim(-1, dim)
    return x


def _resampling(overload, rank, sizes, shape, arguments, scales):
    """One map for each spatial dimension: the operator itself, along the last one of images whose others are 1."""
    scales = list(scales) or [None] * rank
    others = [1] * (rank - 1)

    def of(k):

        def function(rows):
            image = rows.reshape(rows.shape[0], 1, *others, -1)
            return overload(image, [*others, sizes[k]], *arguments, *[None] * (rank - 1), scales[k])

        return function, shape[2 + k]

    return [of(k) for k in range(rank)]


def _enter_resampling(forward, backward, rank, has_corners, own_forward=False):
    count = 1 if has_corners else 0

    @made_of_others(backward)
    def turned(gradient, output_size, input_size, *rest):
        return _along_each(gradient, _resampling(forward, rank, output_size, input_size, rest[:count], rest[count:]), True)

    if own_forward:

        @made_of_others(forward)
        def resampled(x, output_size, *rest):
            return _along_each(x, _resampling(forward, rank, output_size, x.shape, rest[:count], rest[count:]), False)


_enter_resampling(_aten.upsample_nearest1d.default, _aten.upsample_nearest1d_backward.default, 1, False)
_enter_resampling(_aten.upsample_nearest2d.default, _aten.upsample_nearest2d_backward.default, 2, False)
_enter_resampling(_aten.upsample_nearest3d.default, _aten.upsample_nearest3d_backward.default, 3, False)
_enter_resampling(_aten._upsample_nearest_exact1d.default, _aten._upsample_nearest_exact1d_backward.default, 1, False)
_enter_resampling(_aten._upsample_nearest_exact2d.default, _aten._upsample_nearest_exact2d_backward.default, 2, False)
_enter_resampling(_aten._upsample_nearest_exact3d.default, _aten._upsample_nearest_exact3d_backward.default, 3, False)
_enter_resampling(_aten.upsample_linear1d.default, _aten.upsample_linear1d_backward.default, 1, True, own_forward=True)
_enter_resampling(_aten.upsample_bilinear2d.default, _aten.upsample_bilinear2d_backward.default, 2, True, own_forward=True)
_enter_resampling(_aten.upsample_trilinear3d.default, _aten.upsample_trilinear3d_backward.default, 3, True,
                  own_forward=True)
_enter_resampling(_aten.upsample_bicubic2d.default, _aten.upsample_bicubic2d_backward.default, 2, True, own_forward=True)
_enter_resampling(_aten._upsample_bilinear2d_aa.default, _aten._upsample_bilinear2d_aa_backward.default, 2, True,
                  own_forward=True)
_enter_resampling(_aten._upsample_bicubic2d_aa.default, _aten._upsample_bicubic2d_aa_backward.default, 2, True,
                  own_forward=True)


def _enter_padding(forward, backward, rank):

    @made_of_others(backward)
    def turned(gradient, x, padding):
        # pads of the last dimension come first
        pads = [padding[2 * (rank - 1 - k):2 * (rank - k)] for k in range(rank)]
        maps = [(lambda rows, own=tuple(own): forward(rows, own), extent) for own, extent in zip(pads, x.shape[-rank:])]
        return _along_each(gradient, maps, True)


for _rank, _backward in enumerate((_aten.replication_pad1d_backward, _aten.replication_pad2d_backward,
                                   _aten.replication_pad3d_backward), 1):
    _enter_padding(_aten.replication_pad1d.default, _backward.default, _rank)


@made_of_others(_aten._trilinear.default)
def _trilinear(first, second, third, expand1, expand2, expand3, sumdim, unroll_dim=1):
    parts = []
    for part, dims in ((first, expand1), (second, expand2), (third, expand3)):
        for dim in sorted(dims):
            part = part.unsqueeze(dim)
        parts.append(part)
    made = parts[0] * parts[1] * parts[2]
    return made.sum(sumdim) if sumdim else made
