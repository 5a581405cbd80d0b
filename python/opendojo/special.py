"""Special functions as graphs of elementary ones, to FP32's accuracy: series where they converge in a few terms, and
asymptotic ones beyond. Sources: the NIST Digital Library of Mathematical Functions (DLMF), and what a function names."""

import math

import torch

from opendojo.decompositions import made_of_others

_aten = torch.ops.aten
_INFINITY = float("inf")


def _polynomial(x, coefficients):
    """Of ascending powers."""
    total = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def _floating(x):
    return x if x.is_floating_point() else x.float()


# --- The gamma function and what comes of it ---

_SHIFT = 8  # arguments are raised so far, where the asymptotic series hold to FP32's accuracy


@made_of_others(_aten.lgamma.default)
def _lgamma(x):
    """DLMF 5.11.1 from x + 8 on, 5.5.3 for negative numbers."""
    x = _floating(x)
    mirrored = x < 0.5
    y = torch.where(mirrored, 1 - x, x)
    small = y < _SHIFT
    z = torch.where(small, y + _SHIFT, y)
    square = 1 / (z * z)
    series = _polynomial(square, [1 / 12, -1 / 360, 1 / 1260, -1 / 1680]) / z
    large = (z - 0.5) * torch.log(z) - z + 0.5 * math.log(2 * math.pi) + series
    first = torch.where(small, y, 1.0)
    product = first
    for k in range(1, _SHIFT):
        product = product * torch.where(small, y + k, 1.0)
    own = torch.where(z == _INFINITY, _INFINITY, large) - torch.log(product)
    sine = torch.sin(math.pi * (x - torch.round(x))).abs()
    turned = math.log(math.pi) - torch.log(sine) - own
    return torch.where(torch.isinf(x), _INFINITY, torch.where(mirrored, turned, own))


@made_of_others(_aten.digamma.default)
def _digamma(x):
    """DLMF 5.11.2 from x + 8 on, 5.5.4 for negative numbers."""
    x = _floating(x)
    mirrored = x < 0
    y = torch.where(mirrored, 1 - x, x)
    small = y < _SHIFT
    z = torch.where(small, y + _SHIFT, y)
    square = 1 / (z * z)
    own = torch.log(z) - 0.5 / z - square * _polynomial(square, [1 / 12, -1 / 120, 1 / 252, -1 / 240])
    steps = 1 / torch.where(small, y, 1.0)
    for k in range(1, _SHIFT):
        steps = steps + 1 / (y + k)
    own = own - torch.where(small, steps, 0.0)
    fraction = x - torch.trunc(x)
    turned = own - math.pi / torch.tan(math.pi * fraction)
    result = torch.where(mirrored, torch.where(fraction == 0, torch.nan, turned), own)
    return torch.where(x == 0, torch.where(torch.signbit(x), _INFINITY, -_INFINITY), result)


def _hurwitz(s, q):
    """zeta(s, q) of positive q by Euler and Maclaurin's sum (DLMF 25.11.5)."""
    total = q**-s
    for k in range(1, 10):
        total = total + (q + k)**-s
    a = q + 10
    power = a**-s
    total = total + power * a / (s - 1) + 0.5 * power
    factor, power = s, power / a
    for k, number in enumerate((1 / 12, -1 / 720, 1 / 30240, -1 / 1209600)):
        total = total + number * factor * power
        factor = factor * (s + (2 * k + 1)) * (s + (2 * k + 2))
        power = power / (a * a)
    return total


def _whole_hurwitz(s, q, is_even):
    """Of whole s, and negative q, too: what lies below 0 is a sum of its own."""
    lifted = q - torch.floor(q)
    below = _hurwitz(s, 1 - lifted) - _hurwitz(s, torch.where(q < 0, 1 - q, 1.0))
    own = _hurwitz(s, torch.where(q < 0, torch.where(lifted == 0, 1.0, lifted), torch.where(q > 0, q, 1.0)))
    result = torch.where(q < 0, own + torch.where(is_even, below, -below), own)
    return torch.where((q <= 0) & (lifted == 0), _INFINITY, result)


@made_of_others(_aten.special_zeta.default)
def _zeta(s, q):
    s, q = _floating(s), _floating(q)
    s, q = torch.broadcast_tensors(s, q)
    half = s / 2
    used = torch.where(s > 1, s, 2.0)
    is_whole = torch.floor(s) == s
    positive = _whole_hurwitz(used, q, torch.floor(half) == half)
    result = torch.where((q < 0) & ~is_whole & (torch.floor(q) != q), torch.nan, positive)
    return torch.where(s == 1, _INFINITY, torch.where(s < 1, torch.nan, result))


@made_of_others(_aten.special_zeta.other_scalar)
def _zeta_at(s, q):
    return _zeta(s, torch.full((), float(q)))


@made_of_others(_aten.special_zeta.self_scalar)
def _zeta_of(s, q):
    return _zeta(torch.full((), float(s)), q)


@made_of_others(_aten.polygamma.default)
def _polygamma(n, x):
    """DLMF 5.15.1: (-1)^(n + 1) n! zeta(n + 1, x)."""
    x = _floating(x)
    if n == 0:
        return _digamma(x)
    s = torch.full((), n + 1.0)
    factor = math.factorial(n) * (1 if n % 2 == 1 else -1)
    return factor * _whole_hurwitz(s, x, torch.full((), n % 2 == 1))


# --- The error function's inverse and its scaled complement ---


def _inverse_error(x, w):
    """M. Giles, Approximating the erfinv function (2010), in single precision; w = -log(1 - x^2)."""
    near = _polynomial(w - 2.5, [1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-06,
                                 -3.5233877e-06, 3.43273939e-07, 2.81022636e-08])
    far = _polynomial(torch.sqrt(w) - 3, [2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844,
                                          0.00134934322, 0.000100950558, -0.000200214257])
    return torch.where(w < 5, near, far) * x


@made_of_others(_aten.erfinv.default)
def _erfinv(x):
    x = _floating(x)
    own = _inverse_error(x, -torch.log((1 - x) * (1 + x)))
    return torch.where(x.abs() == 1, x * _INFINITY, own)


@made_of_others(_aten.special_ndtri.default)
def _ndtri(p):
    p = _floating(p)
    own = math.sqrt(2) * _inverse_error(2 * p - 1, -torch.log(4 * p * (1 - p)))
    return torch.where(p == 0, -_INFINITY, torch.where(p == 1, _INFINITY, own))


def _exp_of_square(x):
    """exp(x^2); the part of x that has few bits is squared without an error."""
    few = torch.round(x * 256) / 256
    return torch.exp(few * few) * torch.exp((x - few) * (x + few))


@made_of_others(_aten.special_erfcx.default)
def _erfcx(x):
    """exp(x^2) erfc(x), from 2 on by its continued fraction (DLMF 7.9.3)."""
    x = _floating(x)
    far = x > 2
    z = torch.where(far, x, 2.0)
    fraction = z
    for k in reversed(range(1, 17)):
        fraction = z + (k / 2) / fraction
    small = torch.where(far, 0.0, x)
    return torch.where(far, 1 / (math.sqrt(math.pi) * fraction), _exp_of_square(small) * torch.erfc(small))


# --- Modified Bessel functions of the first kind ---


def _hankel(order, sign):
    """The first coefficients of DLMF 10.17.1, with signs that alternate or do not."""
    coefficients, term = [], 1.0
    for k in range(10):
        coefficients.append(term)
        term *= sign * (4 * order * order - (2 * k + 1)**2) / (8 * (k + 1))
    return coefficients


def _scaled_bessel_i(x, order):
    """exp(-|x|) I(x): DLMF 10.25.2 up to 8, 10.40.1 beyond."""
    size = x.abs()
    far = size > 8
    near = torch.where(far, 0.0, size)
    coefficients, term = [], 1.0
    for k in range(28):
        coefficients.append(term)
        term /= (k + 1) * (k + 1 + order)
    series = _polynomial(near * near / 4, coefficients) * (near / 2)**order * torch.exp(-near)
    large = torch.where(far, size, 8.0)
    asymptotic = _polynomial(1 / large, _hankel(order, -1)) / torch.sqrt(2 * math.pi * large)
    result = torch.where(far, asymptotic, series)
    return result if order == 0 else torch.where(x < 0, -result, result)


@made_of_others(_aten.special_i0e.default)
def _i0e(x):
    return _scaled_bessel_i(_floating(x), 0)


@made_of_others(_aten.special_i1e.default)
def _i1e(x):
    return _scaled_bessel_i(_floating(x), 1)


@made_of_others(_aten.i0.default, _aten.special_modified_bessel_i0.default)
def _i0(x):
    x = _floating(x)
    return _scaled_bessel_i(x, 0) * torch.exp(x.abs())


@made_of_others(_aten.special_i1.default, _aten.special_modified_bessel_i1.default)
def _i1(x):
    x = _floating(x)
    return _scaled_bessel_i(x, 1) * torch.exp(x.abs())


# --- Bessel functions by their integrals, whose sums over equal steps converge faster than any power ---


def _bessel_j(x, order):
    """DLMF 10.9.2 up to 25, Hankel's expansion 10.17.3 beyond."""
    size = x.abs()
    far = size > 25
    near = torch.where(far, 0.0, size)
    steps = 48
    total = torch.zeros_like(near)
    for k in range(steps):
        angle = math.pi * (k + 0.5) / steps
        total = total + torch.cos(order * angle - near * math.sin(angle))
    large = torch.where(far, size, 25.0)
    square, mu = 1 / (large * large), 4.0 * order * order
    p = 1 - (mu - 1) * (mu - 9) / 128 * square
    q = ((mu - 1) / 8 - (mu - 1) * (mu - 9) * (mu - 25) / 3072 * square) / large
    phase = large - (order / 2 + 0.25) * math.pi
    beyond = torch.sqrt(2 / (math.pi * large)) * (p * torch.cos(phase) - q * torch.sin(phase))
    result = torch.where(far, beyond, total / steps)
    return result if order == 0 else torch.where(x < 0, -result, result)


@made_of_others(_aten.special_bessel_j0.default)
def _j0(x):
    return _bessel_j(_floating(x), 0)


@made_of_others(_aten.special_bessel_j1.default)
def _j1(x):
    return _bessel_j(_floating(x), 1)


@made_of_others(_aten.special_spherical_bessel_j0.default)
def _spherical_j0(x):
    x = _floating(x)
    small = x.abs() < 0.5
    near = torch.where(small, x, 0.0)
    series = _polynomial(near * near, [1.0, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880])
    far = torch.where(small, 1.0, x)
    return torch.where(torch.isinf(x), 0.0, torch.where(small, series, torch.sin(far) / far))


def _scaled_bessel_k(x, order):
    """exp(x) K(x): DLMF 10.31.1 and 10.31.2 up to 2, the integral 10.32.9 up to 8, 10.40.2 beyond."""
    far = x > 2
    near = torch.where(far | (x <= 0), 1.0, x)
    square = near * near / 4
    harmonic, coefficients, term = 0.0, [], 1.0
    for k in range(14):
        both = harmonic if order == 0 else (2 * harmonic + 1 / (k + 1)) / 2
        coefficients.append((both - 0.5772156649015329) * term)
        harmonic += 1 / (k + 1)
        term /= (k + 1) * (k + 1 + order)
    own = _scaled_bessel_i(near, order) * torch.exp(near) * torch.log(near / 2)
    if order == 0:
        series = _polynomial(square, coefficients) - own
    else:
        series = 1 / near + own - near / 2 * _polynomial(square, coefficients)
    large = torch.where(far, x.clamp(max=8), 2.0)
    step = 0.2
    total = torch.full_like(large, 0.5)
    for k in range(1, 17):
        total = total + math.cosh(order * k * step) * torch.exp(-large * (math.cosh(k * step) - 1))
    farthest = torch.where(x > 8, x, 8.0)
    asymptotic = _polynomial(1 / farthest, _hankel(order, 1)) * torch.sqrt(math.pi / 2 / farthest)
    result = torch.where(x > 8, asymptotic, torch.where(far, step * total, series * torch.exp(near)))
    return torch.where(x < 0, torch.nan, torch.where(x == 0, _INFINITY, result))


@made_of_others(_aten.special_scaled_modified_bessel_k0.default)
def _scaled_k0(x):
    return _scaled_bessel_k(_floating(x), 0)


@made_of_others(_aten.special_scaled_modified_bessel_k1.default)
def _scaled_k1(x):
    return _scaled_bessel_k(_floating(x), 1)


@made_of_others(_aten.special_modified_bessel_k0.default)
def _k0(x):
    x = _floating(x)
    return _scaled_bessel_k(x, 0) * torch.exp(-x)


@made_of_others(_aten.special_modified_bessel_k1.default)
def _k1(x):
    x = _floating(x)
    return _scaled_bessel_k(x, 1) * torch.exp(-x)
