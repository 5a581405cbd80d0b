"""What a step of the matrix unit gives, bit for bit and with its flags, written from the words of docs/matrix.md alone.

Exact: numbers are fractions, and each fused multiply-add is rounded once. The emulator and the numpy model of docs/ answer to this.
"""

from collections import namedtuple
from fractions import Fraction

NX, UF, OF, NV = 1, 2, 4, 16

# --- Formats: what a code means ---

# top: the codes with the largest exponent field are infinity and NaNs (ieee), numbers but for the last, a quiet NaN
# (last_nan), or all numbers (ordinary). A subnormal is 0.m x 2^(first - bias).
Format = namedtuple("Format", "exponent_bits fraction_bits bias top first", defaults=(1,))

FP64, FP32, FP16, BF16 = Format(11, 52, 1023, "ieee"), Format(8, 23, 127, "ieee"), Format(5, 10, 15, "ieee"), Format(8, 7, 127, "ieee")
E4M3, E5M2 = Format(4, 3, 7, "last_nan"), Format(5, 2, 15, "ieee")


def cfloat8(control):
    """What one byte of dj_cfloat says: the bias in bits 5:0, bit 6 for 1_5_2 instead of 1_4_3, bit 7 for printed denormals."""
    bits = (5, 2) if control >> 6 & 1 else (4, 3)
    return Format(*bits, control & 63, "ordinary", 0 if control >> 7 else 1)


def bits_of(form):
    return 1 + form.exponent_bits + form.fraction_bits


# kind: finite, infinite, quiet or signalling; magnitude: of finite numbers.
Number = namedtuple("Number", "kind sign magnitude", defaults=(Fraction(0),))


def power(exponent):
    return Fraction(2) ** exponent


def meaning(code, form):
    sign = code >> (bits_of(form) - 1)
    field = code >> form.fraction_bits & ((1 << form.exponent_bits) - 1)
    fraction = code & ((1 << form.fraction_bits) - 1)
    last_field, last_fraction = (1 << form.exponent_bits) - 1, (1 << form.fraction_bits) - 1
    if field == last_field and form.top == "ieee":
        if fraction == 0:
            return Number("infinite", sign)
        return Number("quiet" if fraction >> (form.fraction_bits - 1) else "signalling", sign)
    if field == last_field and fraction == last_fraction and form.top == "last_nan":
        return Number("quiet", sign)
    if field == 0:
        return Number("finite", sign, fraction * power(form.first - form.bias - form.fraction_bits))
    return Number("finite", sign, (fraction + (1 << form.fraction_bits)) * power(field - form.bias - form.fraction_bits))


# --- Arithmetic: one fused multiply-add of IEEE 754 to an IEEE format ---


def exponent_of(magnitude):
    """e with 2^e <= magnitude < 2^(e + 1)"""
    e = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    return e if magnitude >= power(e) else e - 1


def to_multiple(magnitude, quantum):
    return round(magnitude / quantum) * quantum  # Python rounds a Fraction to nearest, ties to even


def infinity(form):
    return ((1 << form.exponent_bits) - 1) << form.fraction_bits


def quiet_nan(form):
    return infinity(form) | 1 << (form.fraction_bits - 1)


def rounded(magnitude, form):
    """Code without sign, and flags."""
    least = 1 - form.bias  # the smallest normal number is 2^least
    e = exponent_of(magnitude)
    result = to_multiple(magnitude, power(max(e, least) - form.fraction_bits))
    if result >= power(form.bias + 1):
        return infinity(form), OF | NX
    tiny = to_multiple(magnitude, power(e - form.fraction_bits)) < power(least)  # after rounding with unbounded exponent
    flags = 0 if result == magnitude else NX | UF if tiny else NX
    if result < power(least):
        return int(result / power(least - form.fraction_bits)), flags
    e = exponent_of(result)
    return int(result / power(e - form.fraction_bits)) + ((e - least) << form.fraction_bits), flags


def fused(a, b, c, form):
    """The code of a * b + c in this format, and flags."""
    operands = (a, b, c)
    flags = NV if any(x.kind == "signalling" for x in operands) else 0
    product_sign = a.sign ^ b.sign
    infinite = "infinite" in (a.kind, b.kind)
    if infinite and any(x.kind == "finite" and x.magnitude == 0 for x in (a, b)):
        return quiet_nan(form), NV
    if any(x.kind in ("quiet", "signalling") for x in operands):
        return quiet_nan(form), flags
    if infinite and c.kind == "infinite" and c.sign != product_sign:
        return quiet_nan(form), NV
    sign_bit = 1 << (bits_of(form) - 1)
    if infinite or c.kind == "infinite":
        return infinity(form) | sign_bit * (product_sign if infinite else c.sign), 0
    total = (-1) ** product_sign * a.magnitude * b.magnitude + (-1) ** c.sign * c.magnitude
    if total == 0:
        return sign_bit * (product_sign & c.sign), 0  # a sum of opposite signs is +0
    code, flags = rounded(abs(total), form)
    return code | sign_bit * (total < 0), flags


# --- Steps ---

# `a`, `b` and `c` are Formats, or for integers whether they are signed.
Kind = namedtuple("Kind", "name sew alt twiden a b c cfloat", defaults=(None,))


def integer(code, signed):
    return code - 256 if signed and code >= 128 else code


def step(kind, a, b, c):
    """C after the step, and flags."""
    result, raised = [list(row) for row in c], 0
    for k in range(len(a)):
        for m, row in enumerate(result):
            for n in range(len(row)):
                if kind.c is None:
                    row[n] = (row[n] + integer(a[k][m], kind.a) * integer(b[k][n], kind.b)) % (1 << 32)
                    continue
                row[n], flags = fused(meaning(a[k][m], kind.a), meaning(b[k][n], kind.b), meaning(row[n], kind.c), kind.c)
                raised |= flags
    return result, raised
