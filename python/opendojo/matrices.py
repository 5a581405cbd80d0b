"""Decompositions of matrices and what is computed by them, as graphs of other operators: every step of an algorithm is
written out, so the matrices are small. Signs, pivots and orders are LAPACK's.
"""

import torch

from opendojo.decompositions import made_of_others, product_along

_aten = torch.ops.aten

_LARGEST = 32  # rows or columns, of which each is a step


def _is_large(matrix):
    return min(matrix.shape[-2:]) > _LARGEST or matrix.is_complex()


def _identity(matrix, size):
    return torch.eye(size, dtype=matrix.dtype).expand(*matrix.shape[:-2], size, size)


def _row_times(column, row):
    return column.unsqueeze(-1) * row.unsqueeze(-2)


# --- L U ---


def _factored(matrix, pivot=True):
    """L below the diagonal and U above it, which row came to each place in each step, and where each row came from."""
    rows, columns = matrix.shape[-2:]
    places = torch.arange(rows)
    order, pivots = places.expand(matrix.shape[:-1]), []
    for k in range(min(rows, columns)):
        if pivot:
            largest = matrix[..., k:, k].abs().argmax(-1, keepdim=True) + k
            moved = torch.where(places == k, largest, torch.where(places == largest, k, places))
            matrix = matrix.gather(-2, moved.unsqueeze(-1).expand(matrix.shape))
            order = order.gather(-1, moved)
        else:
            largest = torch.full((*matrix.shape[:-2], 1), k)
        pivots.append(largest + 1)
        if k + 1 == rows:
            continue
        diagonal, below = matrix[..., k:k + 1, k], matrix[..., k + 1:, k]
        factors = torch.where(diagonal == 0, below, below / diagonal)
        done = torch.cat([matrix[..., k + 1:, :k], factors.unsqueeze(-1)], -1)
        if k + 1 < columns:
            rest = matrix[..., k + 1:, k + 1:] - _row_times(factors, matrix[..., k, k + 1:])
            done = torch.cat([done, rest], -1)
        matrix = torch.cat([matrix[..., :k + 1, :], done], -2)
    return matrix, torch.cat(pivots, -1).to(torch.int32), order


def _first_zero(diagonal):
    """LAPACK's info: the place from 1 of the first 0, or 0."""
    count = diagonal.shape[-1]
    places = torch.where(diagonal == 0, torch.arange(1, count + 1), count + 1).amin(-1)
    return torch.where(places > count, 0, places).to(torch.int32)


def _diagonal(matrix):
    return torch.diagonal(matrix, 0, -2, -1)


def _moved_by(order, matrix):
    return matrix.gather(-2, order.unsqueeze(-1).expand(matrix.shape))


def _order_of(pivots, rows):
    """Where each row came from, from LAPACK's exchanges."""
    places = torch.arange(rows)
    order = places.expand(*pivots.shape[:-1], rows)
    for k in range(pivots.shape[-1]):
        other = pivots[..., k:k + 1].to(torch.int64) - 1
        moved = torch.where(places == k, other, torch.where(places == other, k, places))
        order = order.gather(-1, moved)
    return order


def _lower(matrix, count):
    """The unit triangle of `count` columns."""
    rows = matrix.shape[-2]
    part = torch.tril(matrix[..., :count], -1)
    return part + torch.eye(rows, count, dtype=matrix.dtype)


def _permutation(order, dtype):
    """P with P L U = A: row order[i] of A is row i of L U."""
    places = torch.arange(order.shape[-1])
    return (order.unsqueeze(-2) == places.unsqueeze(-1)).to(dtype)


@made_of_others(_aten.linalg_lu_factor_ex.default)
def _lu_factor(matrix, *, pivot=True, check_errors=False):
    if _is_large(matrix):
        return NotImplemented
    factors, pivots, _ = _factored(matrix, pivot)
    return factors, pivots, _first_zero(_diagonal(factors))


@made_of_others(_aten.linalg_lu.default)
def _lu(matrix, *, pivot=True):
    if _is_large(matrix):
        return NotImplemented
    factors, _, order = _factored(matrix, pivot)
    count = min(matrix.shape[-2:])
    permutation = _permutation(order, matrix.dtype) if pivot else matrix.new_empty(0)
    return permutation, _lower(factors, count), torch.triu(factors[..., :count, :])


@made_of_others(_aten.lu_unpack.default)
def _lu_unpack(factors, pivots, unpack_data=True, unpack_pivots=True):
    if _is_large(factors):
        return NotImplemented
    count, nothing = min(factors.shape[-2:]), factors.new_empty(0)
    lower, upper = (_lower(factors, count), torch.triu(factors[..., :count, :])) if unpack_data else (nothing, nothing)
    permutation = _permutation(_order_of(pivots, factors.shape[-2]), factors.dtype) if unpack_pivots else nothing
    return permutation, lower, upper


# --- Triangles ---


def _substituted(triangle, right, upper, unit):
    """X with triangle X = right."""
    size = triangle.shape[-1]
    solved = {}
    for i in reversed(range(size)) if upper else range(size):
        row = right[..., i, :]
        before = range(i + 1, size) if upper else range(i)
        for j in before:
            row = row - triangle[..., i, j].unsqueeze(-1) * solved[j]
        solved[i] = row if unit else row / triangle[..., i, i].unsqueeze(-1)
    return torch.stack([solved[i] for i in range(size)], -2)


@made_of_others(_aten.linalg_solve_triangular.default)
def _solve_triangular(triangle, right, *, upper, left=True, unitriangular=False):
    if _is_large(triangle) or 0 in triangle.shape or 0 in right.shape:
        return NotImplemented
    if not left:
        return _solve_triangular(triangle.mT, right.mT, upper=not upper, unitriangular=unitriangular).mT
    batch = torch.broadcast_shapes(triangle.shape[:-2], right.shape[:-2])
    triangle, right = triangle.expand(*batch, *triangle.shape[-2:]), right.expand(*batch, *right.shape[-2:])
    return _substituted(triangle, right, upper, unitriangular)


@made_of_others(_aten.triangular_solve.default)
def _triangular_solve(right, triangle, upper=True, transpose=False, unitriangular=False):
    turned = triangle.mT if transpose else triangle
    solved = _solve_triangular(turned, right, upper=upper != transpose, unitriangular=unitriangular)
    return NotImplemented if solved is NotImplemented else (solved, triangle.clone())


# --- By L U ---


def _solved(factors, order, right):
    right = _moved_by(order, right)
    return _substituted(factors, _substituted(factors, right, False, True), True, False)


@made_of_others(_aten.linalg_lu_solve.default)
def _lu_solve(factors, pivots, right, *, left=True, adjoint=False):
    if _is_large(factors) or 0 in factors.shape or 0 in right.shape:
        return NotImplemented
    if not left:
        return _lu_solve(factors, pivots, right.mT, adjoint=not adjoint).mT
    batch = torch.broadcast_shapes(factors.shape[:-2], right.shape[:-2])
    factors, right = factors.expand(*batch, *factors.shape[-2:]), right.expand(*batch, *right.shape[-2:])
    order = _order_of(pivots, factors.shape[-2]).expand(*batch, factors.shape[-2])
    if not adjoint:
        return _solved(factors, order, right)
    solved = _substituted(factors.mT, _substituted(factors.mT, right, False, False), True, True)
    return _permutation(order, right.dtype) @ solved


@made_of_others(_aten.linalg_inv_ex.default)
def _inverse(matrix, *, check_errors=False):
    if _is_large(matrix) or 0 in matrix.shape:
        return NotImplemented
    factors, _, order = _factored(matrix)
    return _solved(factors, order, _identity(matrix, matrix.shape[-1])), _first_zero(_diagonal(factors))


@made_of_others(_aten._linalg_solve_ex.default)
def _solve(matrix, right, *, left=True, check_errors=False):
    if _is_large(matrix) or 0 in matrix.shape or 0 in right.shape:
        return NotImplemented
    factors, pivots, _ = _factored(matrix)
    is_vector = right.dim() == 1 or right.shape == matrix.shape[:-1]
    columns = right.unsqueeze(-1) if is_vector else right
    solved = _lu_solve(factors, pivots, columns, left=left)
    return solved.squeeze(-1) if is_vector else solved, factors, pivots, _first_zero(_diagonal(factors))


def _sign_of(pivots):
    """-1 for every exchange."""
    exchanged = pivots != torch.arange(1, pivots.shape[-1] + 1)
    return 1.0 - 2.0 * torch.remainder(exchanged.sum(-1), 2).float()


def _product(row):
    return product_along(row, -1).squeeze(-1)


def _as_factored(matrix):
    """PyTorch's determinants factor the transpose of a matrix that lies row by row, and their gradients count on it."""
    return matrix.mT if matrix.is_contiguous() else matrix


@made_of_others(_aten._linalg_det.default)
def _determinant(matrix):
    if _is_large(matrix) or 0 in matrix.shape:
        return NotImplemented
    factors, pivots, _ = _factored(_as_factored(matrix))
    return _sign_of(pivots) * _product(_diagonal(factors)), factors, pivots


@made_of_others(_aten._linalg_slogdet.default)
def _sign_and_logarithm(matrix):
    if _is_large(matrix) or 0 in matrix.shape:
        return NotImplemented
    factors, pivots, _ = _factored(_as_factored(matrix))
    diagonal = _diagonal(factors)
    sign = _sign_of(pivots) * _product(torch.sign(diagonal))
    return sign, diagonal.abs().log().sum(-1), factors, pivots


# --- Cholesky ---


def _cholesky_columns(matrix):
    """L with L L^T = matrix, of which the lower triangle is read, and whether each pivot was positive."""
    size, columns, fine = matrix.shape[-1], [], []
    for k in range(size):
        rest = matrix[..., k:, k]
        for column in columns:
            rest = rest - column[..., k:] * column[..., k:k + 1]
        pivot = rest[..., :1]
        fine.append(pivot > 0)
        part = torch.cat([torch.sqrt(pivot), rest[..., 1:] / torch.sqrt(pivot)], -1)
        columns.append(torch.nn.functional.pad(part, (k, 0)))
    return torch.stack(columns, -1), torch.cat(fine, -1)


@made_of_others(_aten.linalg_cholesky_ex.default)
def _cholesky_ex(matrix, *, upper=False, check_errors=False):
    if _is_large(matrix) or 0 in matrix.shape:
        return NotImplemented
    lower, fine = _cholesky_columns(matrix.mT if upper else matrix)
    return lower.mT if upper else lower, _first_zero(fine.to(matrix.dtype))


@made_of_others(_aten.cholesky.default)
def _cholesky(matrix, upper=False):
    made = _cholesky_ex(matrix, upper=upper)
    return made if made is NotImplemented else made[0]


@made_of_others(_aten.cholesky_solve.default)
def _cholesky_solve(right, triangle, upper=False):
    if _is_large(triangle) or 0 in triangle.shape or 0 in right.shape:
        return NotImplemented
    lower = triangle.mT if upper else triangle
    first = _solve_triangular(lower, right, upper=False)
    return _solve_triangular(lower.mT, first, upper=True)


@made_of_others(_aten.cholesky_inverse.default)
def _cholesky_inverse(triangle, upper=False):
    if _is_large(triangle) or 0 in triangle.shape:
        return NotImplemented
    return _cholesky_solve(_identity(triangle, triangle.shape[-1]), triangle, upper)


# --- Q R by reflections ---


def _reflected(matrix):
    """R on and above the diagonal, the reflections' vectors below it, and their factors."""
    rows, columns = matrix.shape[-2:]
    taus = []
    for k in range(min(rows, columns)):
        first, below = matrix[..., k, k], matrix[..., k + 1:, k]
        rest = (below * below).sum(-1)
        size = torch.sqrt(first * first + rest)
        reflects = rest != 0
        beta = torch.where(reflects, torch.where(first < 0, size, -size), first)
        tau = torch.where(reflects, (beta - first) / torch.where(reflects, beta, 1.0), 0.0)
        vector = below / torch.where(reflects, first - beta, 1.0).unsqueeze(-1)
        taus.append(tau)
        column = torch.cat([matrix[..., :k, k], beta.unsqueeze(-1), vector], -1).unsqueeze(-1)
        parts = [matrix[..., :k], column]
        if k + 1 < columns:
            top, row, bottom = matrix[..., :k, k + 1:], matrix[..., k, k + 1:], matrix[..., k + 1:, k + 1:]
            along = tau.unsqueeze(-1) * (row + (vector.unsqueeze(-1) * bottom).sum(-2))
            parts.append(torch.cat([top, (row - along).unsqueeze(-2), bottom - _row_times(vector, along)], -2))
        matrix = torch.cat(parts, -1)
    return matrix, torch.stack(taus, -1)


def _vector(reflectors, k):
    column = reflectors[..., k + 1:, k]
    one = torch.ones_like(reflectors[..., :1, k])
    return torch.cat([torch.zeros_like(reflectors[..., :k, k]), one, column], -1)


def _apply(reflectors, taus, k, matrix):
    """(I - tau v v^T) matrix."""
    vector = _vector(reflectors, k)
    along = taus[..., k:k + 1] * (vector.unsqueeze(-1) * matrix).sum(-2)
    return matrix - _row_times(vector, along)


def _columns_of_q(reflectors, taus, columns):
    rows = reflectors.shape[-2]
    made = torch.eye(rows, columns, dtype=reflectors.dtype).expand(*reflectors.shape[:-2], rows, columns)
    for k in reversed(range(taus.shape[-1])):
        made = _apply(reflectors, taus, k, made)
    return made


@made_of_others(_aten.geqrf.default)
def _geqrf(matrix):
    return NotImplemented if _is_large(matrix) or 0 in matrix.shape else _reflected(matrix)


@made_of_others(_aten.linalg_qr.default)
def _qr(matrix, mode="reduced"):
    if _is_large(matrix) or 0 in matrix.shape:
        return NotImplemented
    rows, columns = matrix.shape[-2:]
    reflectors, taus = _reflected(matrix)
    kept = rows if mode == "complete" else min(rows, columns)
    upper = torch.triu(reflectors[..., :kept, :])
    return (matrix.new_empty(0) if mode == "r" else _columns_of_q(reflectors, taus, kept)), upper


@made_of_others(_aten.ormqr.default)
def _ormqr(reflectors, taus, other, left=True, transpose=False):
    if _is_large(reflectors) or 0 in reflectors.shape or 0 in other.shape or 0 in taus.shape:
        return NotImplemented
    if not left:
        return _ormqr(reflectors, taus, other.mT, True, not transpose).mT
    steps = range(taus.shape[-1])
    for k in steps if transpose else reversed(steps):
        other = _apply(reflectors, taus, k, other)
    return other
