"""Codes of every kind for make_matrix_vectors.py: ordinary, subnormal, special; from one seed, so always the same."""
import random
from fractions import Fraction

from matrix_oracle import bits_of, infinity, meaning, power

source = random.Random(20261126)


def below(n):
    return source.getrandbits(64) % n


def one_of(choices):
    return choices[below(len(choices))]


def code_of(value, form):
    """The code of a rational number, rounded toward zero and at most the largest: for making operands."""
    sign_bit = 1 << (bits_of(form) - 1)
    low, high = 0, {"ieee": infinity(form) - 1, "last_nan": sign_bit - 2, "ordinary": sign_bit - 1}[form.top]
    while low < high:  # magnitudes ascend with their codes
        middle = (low + high + 1) // 2
        low, high = (middle, high) if meaning(middle, form).magnitude <= abs(value) else (low, middle - 1)
    return low | sign_bit * (value < 0)


def signed(magnitude_code, form):
    return magnitude_code | below(2) << (bits_of(form) - 1)


def any_byte():
    return below(256)


def any_code(form):
    return below(1 << bits_of(form))


def finite_code(form):
    while True:
        code = any_code(form)
        if meaning(code, form).kind == "finite":
            return code


def about(exponent, form, spread=3):
    """A number of either sign near 2^exponent."""
    fraction = Fraction(below(1 << form.fraction_bits), 1 << form.fraction_bits)
    return signed(code_of((1 + fraction) * power(exponent + below(2 * spread + 1) - spread), form), form)


def subnormal_code(form):
    return signed(1 + below((1 << form.fraction_bits) - 1), form)


def largest(form):
    return code_of(power(2000), form)


def special_codes(form):
    """NaNs and infinities that the format has: quiet, signalling, infinite."""
    if form.top == "ordinary":
        return [], [], []
    if form.top == "last_nan":
        return [0x7F, 0xFF], [], []
    first, quiet_bit = infinity(form), 1 << (form.fraction_bits - 1)
    quiet = [signed(first | quiet_bit | below(quiet_bit), form) for _ in range(3)]
    signalling = [signed(first | 1 + below(quiet_bit - 1), form) for _ in range(3)]
    return quiet, signalling, [first, first | 1 << (bits_of(form) - 1)]
