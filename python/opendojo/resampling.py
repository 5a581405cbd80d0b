"""Decompositions of pooling and of what is linear along each dimension: resampling, padding, and their gradients."""

import torch
from torch.utils._python_dispatch import _disable_current_modes

from opendojo.decompositions import made_of_others

_aten = torch.ops.aten


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


# --- Sampling at computed places ---


def _sampled(places, extent, align, padding):
    """Where coordinates -1 to 1 lie along a dimension, and how fast that moves with them (0 where padding holds them)."""
    scale = (extent - 1) / 2 if align else extent / 2
    where = (places + 1) * scale - (0 if align else 0.5)
    if padding == 0:
        return where, torch.full_like(where, scale)
    if padding != 1:
        return None
    inside = (where > 0) & (where < extent - 1)
    return where.clamp(0, extent - 1), torch.where(inside, scale, 0.0)


@made_of_others(_aten.grid_sampler_2d_backward.default)
def _grid_sampler_2d_backward(gradient, x, grid, interpolation, padding, align, output_mask):
    """Of bilinear sampling, with zeros or the border outside; a coordinate that the border holds moves nothing."""
    n, c, height, width = x.shape
    along = [_sampled(grid[..., 0], width, align, padding), _sampled(grid[..., 1], height, align, padding)]
    if interpolation != 0 or None in along:
        return NotImplemented
    (across, speed_across), (down, speed_down) = along
    left, top = across.floor(), down.floor()
    flat, given = x.flatten(2), gradient.flatten(2)
    summed, moved_across, moved_down = torch.zeros_like(flat), torch.zeros_like(across), torch.zeros_like(down)
    for right in (0, 1):
        for below in (0, 1):
            column, row = left + right, top + below
            share_across = 1 - (across - column).abs()
            share_down = 1 - (down - row).abs()
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            place = row.long().clamp(0, height - 1) * width + column.long().clamp(0, width - 1)
            place = place.reshape(n, 1, -1).expand(n, c, -1)
            weight = torch.where(inside, share_across * share_down, 0.0).reshape(n, 1, -1)
            summed = summed.scatter_add(2, place, given * weight)
            value = (flat.gather(2, place) * given).sum(1).reshape(across.shape)
            value = torch.where(inside, value, 0.0)
            moved_across = moved_across + value * share_down * (1 if right else -1)
            moved_down = moved_down + value * share_across * (1 if below else -1)
    moved = torch.stack([moved_across * speed_across, moved_down * speed_down], -1)
    return summed.reshape(x.shape), moved
