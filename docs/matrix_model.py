#!/usr/bin/env python3
"""The matrix unit's arithmetic in numpy: docs/matrix.md as a program.

    docs/matrix_model.py [FILE]     how many of the file's vectors (docs/matrix-vectors.txt) it reproduces

Values only: which flags a step raises is left to the page.
"""

import pathlib
import sys
from fractions import Fraction

import numpy as np

# --- What codes mean: exactly, as FP32 (FP64 for sew 64) ---


def widen(codes, exponent_bits, fraction_bits, bias, top="ordinary", printed=False):
    """Floats of at most 16 bits. `top` says what the largest exponent field means: numbers like all others (ordinary), infinity
    and NaN (ieee), or numbers of which the last is NaN (last_nan). `printed` takes subnormals as 0.m x 2^-bias."""
    codes = codes.astype(np.int64)
    sign = codes >> (exponent_bits + fraction_bits)
    magnitude = codes & ((1 << (exponent_bits + fraction_bits)) - 1)
    field, fraction = magnitude >> fraction_bits, magnitude & ((1 << fraction_bits) - 1)
    normal = np.ldexp(fraction + float(1 << fraction_bits), field - bias - fraction_bits)
    subnormal = np.ldexp(fraction.astype(float), (0 if printed else 1) - bias - fraction_bits)
    value = np.where(field == 0, subnormal, normal)
    last = (1 << exponent_bits) - 1
    if top == "ieee":
        value = np.where(field == last, np.where(fraction == 0, np.inf, np.nan), value)
    if top == "last_nan":
        value = np.where(magnitude == (1 << (exponent_bits + fraction_bits)) - 1, np.nan, value)
    return np.where(sign == 1, -value, value).astype(np.float32)


def cfloat8(control):
    """One byte of dj_cfloat."""
    bits = (5, 2) if control >> 6 & 1 else (4, 3)
    return lambda codes: widen(codes, *bits, bias=control & 63, printed=control >> 7 == 1)


NARROW = {
    "e4m3": lambda codes: widen(codes, 4, 3, 7, "last_nan"),
    "e5m2": lambda codes: widen(codes, 5, 2, 15, "ieee"),
    "u": lambda codes: codes.astype(np.int64),
    "s": lambda codes: codes.astype(np.uint8).view(np.int8).astype(np.int64),
}


def operands_of(name, sew, alt, cfloat):
    """How A and B are widened."""
    if name == "dj.mm.cf":
        return cfloat8(cfloat & 0xFF), cfloat8(cfloat >> 8)
    if sew == 8:
        return [NARROW[side] for side in name.split(".")[2:]]
    if sew == 16:
        one = (lambda codes: widen(codes, 8, 7, 127, "ieee")) if alt else (lambda codes: widen(codes, 5, 10, 15, "ieee"))
    else:
        one = lambda codes: codes.astype(np.uint32).view(np.float32) if sew == 32 else codes.view(np.float64)
    return one, one


# --- Fused multiply-adds ---


def fma32(a, b, c):
    """Of FP32 arrays. The product is exact in FP64; the sum is rounded to odd there and then once more, correctly, to FP32."""
    p, c = a.astype(np.float64) * b.astype(np.float64), c.astype(np.float64)
    s = p + c
    t = s - p
    lost = (p - (s - t)) + (c - t)  # what s lost, exactly
    bits = s.view(np.int64)
    to_odd = np.isfinite(s) & (lost != 0) & (bits & 1 == 0)
    away = (lost > 0) == (s > 0)
    return np.where(to_odd, bits + np.where(away, 1, -1), bits).view(np.float64).astype(np.float32)


def fma64_of_numbers(a, b, c):
    plain = a * b + c
    if not np.isfinite([a, b, c]).all():
        return c if np.isfinite([a, b]).all() else plain  # the product of numbers is one, however large
    total = Fraction(a) * Fraction(b) + Fraction(c)
    if total == 0:
        return plain  # knows the sign of zero
    try:
        return float(total)  # rounded once, to nearest even
    except OverflowError:
        return np.inf if total > 0 else -np.inf


fma64 = np.vectorize(fma64_of_numbers, otypes=[np.float64])

# --- A step ---


def step(name, sew, alt, C, A, B, cfloat=0):
    """Codes in, codes out, as unsigned 64-bit arrays: C[tm, tn], A[tk, tm], B[tk, tn]."""
    widen_a, widen_b = operands_of(name, sew, alt, cfloat)
    A, B = widen_a(A), widen_b(B)
    if A.dtype == np.int64:
        return (C.astype(np.int64) + A.T @ B).astype(np.uint32).astype(np.uint64)
    if len(A) == 0:
        return C
    kind, bits, canonical, fma = (
        (np.float64, np.uint64, 0x7FF8000000000000, fma64) if sew == 64 else (np.float32, np.uint32, 0x7FC00000, fma32)
    )
    C = C.astype(bits).view(kind)
    for a, b in zip(A, B):
        C = fma(a[:, None], b[None, :], C)
    return np.where(np.isnan(C), canonical, C.view(bits)).astype(np.uint64)


# --- Vectors ---


def read(text):
    """(title, numbers, rows of A, B, C and D) of each vector."""
    for part in text.split("\n\n"):
        lines = [line for line in part.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        words = lines[0].split(" : ")[0].split()
        numbers = {key: int(value, 16 if key == "cfloat" else 10) for key, value in zip(words[2::2], words[3::2])}
        rows = {letter: [[int(code, 16) for code in line.split()[1:]] for line in lines if line[0] == letter] for letter in "ABCD"}
        yield lines[0], words[1], numbers, rows


def main():
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("matrix-vectors.txt")
    np.seterr(all="ignore")
    count, first_difference = [0, 0], None
    for title, name, numbers, rows in read(path.read_text()):
        tm, tn, tk = (numbers[extent] for extent in ("tm", "tn", "tk"))
        sizes = {"A": (tk, tm), "B": (tk, tn), "C": (tm, tn), "D": (tm, tn)}
        A, B, C, D = (np.array(rows[letter], np.uint64).reshape(sizes[letter]) for letter in "ABCD")
        result = step(name, numbers["sew"], numbers["alt"], C, A, B, numbers.get("cfloat", 0))
        same = np.array_equal(result, D)
        count[same] += 1
        if not same and first_difference is None:
            m, n = np.argwhere(result != D)[0]
            first_difference = f"{title}\n  C[{m}][{n}] is {int(result[m, n]):x}, not {int(D[m, n]):x}"
    print(f"{count[True]} of {sum(count)} vectors reproduced")
    if first_difference or sum(count) == 0:
        print(first_difference or "no vectors in this file")
        sys.exit(1)


if __name__ == "__main__":
    main()
