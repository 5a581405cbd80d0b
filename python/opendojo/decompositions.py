"""Operators that PyTorch has in one piece, made of those that the machine has rows for: what PyTorch's own list of
decompositions leaves out.

A table: a function under the overloads that it stands for. Tensors of bfloat16 are widened first and the results rounded once,
as PyTorch's kernels for a CPU do. What depends on values for its shape is not among them.
"""

import functools
import math

import torch
from torch.utils import _pytree

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
            if kwargs.get("dtype") is torch.float32:
                return function(*args, **kwargs)
            kwargs = {name: torch.float32 if value is torch.bfloat16 else value for name, value in kwargs.items()}
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
    places = places_along(x, dim)
    counts = places.unsqueeze(dim) <= places.unsqueeze(dim + 1)
    summed = torch.where(counts, torch.exp(x.unsqueeze(dim) - size.unsqueeze(dim + 1)), 0.0).sum(dim + 1)
    return torch.where(torch.isinf(largest), largest, size + torch.log(summed))


def places_along(x, dim):
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

    return tuple(_running([x, places_along(x, dim).expand(x.shape)], dim, join))


@made_of_others(_aten.cummax.default)
def _cummax(x, dim):
    return _running_extreme(x, dim, torch.ge)


@made_of_others(_aten.cummin.default)
def _cummin(x, dim):
    return _running_extreme(x, dim, torch.le)


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


# --- Tensors of no dimensions, and of no elements ---


def lifted(one):
    return one.reshape(1) if isinstance(one, torch.Tensor) and one.dim() == 0 else one


def _as_vector(overload):
    """A tensor of no dimensions is taken for a vector of one element; of any other the machine has a row."""

    @made_of_others(overload)
    def vector(x, *args, **kwargs):
        if x.dim() != 0:
            return NotImplemented
        args, kwargs = _pytree.tree_map(lifted, (args, kwargs))
        return _pytree.tree_map(lambda one: one.reshape(()), overload(x.reshape(1), *args, **kwargs))


for _overload in (_aten._softmax.default, _aten._log_softmax.default, _aten.sort.default, _aten.sort.stable, _aten.topk.default,
                  _aten.cumsum.default, _aten.index_select.default, _aten.max.dim,
                  _aten.min.dim, _aten.amax.default, _aten.amin.default, _aten.argmax.default, _aten.argmin.default,
                  _aten.any.dim, _aten.all.dim, _aten.flip.default):
    _as_vector(_overload)


@made_of_others(_aten.gather.default)
def _gather(x, dim, index, *, sparse_grad=False):
    if x.dim() != 0 and index.dim() != 0:
        return NotImplemented
    return _aten.gather.default(lifted(x), dim, lifted(index)).reshape(index.shape)


@made_of_others(_aten.detach_.default)
def _detach(x):
    return x.detach()


@made_of_others(_aten.new_empty_strided.default)
def _new_empty(x, size, stride, **how):
    """Written before it is read."""
    return x.new_zeros(size, dtype=how.get("dtype"))


@made_of_others(_aten.linalg_vector_norm.default)
def _vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """Of the orders that need a power, and of 0, which counts."""
    if x.dim() == 0:
        return torch.linalg.vector_norm(x.reshape(1), ord, dtype=dtype).reshape(())
    if ord in (1, 2, _INFINITY, -_INFINITY):
        return NotImplemented
    x = x if dtype is None else x.to(dtype)
    dim = list(range(x.dim())) if dim is None else dim
    if ord == 0:
        return (x != 0).to(x.dtype).sum(dim, keepdim)
    return (x.abs()**ord).sum(dim, keepdim)**(1 / ord)


# --- Bits and places ---


@made_of_others(_aten.bitwise_and.Scalar)
def _low_bits(x, other):
    """A mask of the lowest bits leaves the remainder of a division."""
    is_of_low_bits = not isinstance(other, bool) and other > 0 and other & (other + 1) == 0
    if x.dtype == torch.bool or not is_of_low_bits:
        return NotImplemented
    return torch.remainder(x, other + 1)


@made_of_others(_aten.unfold.default)
def _unfold(x, dimension, size, step):
    """Of a tensor of one number, which has one window."""
    return x.reshape(1)[:size].clone() if x.dim() == 0 else NotImplemented


# --- Three factors at once ---


@made_of_others(_aten._trilinear.default)
def _trilinear(first, second, third, expand1, expand2, expand3, sumdim, unroll_dim=1):
    parts = []
    for part, dims in ((first, expand1), (second, expand2), (third, expand3)):
        for dim in sorted(dims):
            part = part.unsqueeze(dim)
        parts.append(part)
    made = parts[0] * parts[1] * parts[2]
    return made.sum(sumdim) if sumdim else made
