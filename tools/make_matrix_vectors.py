#!/usr/bin/env python3
"""Writes test vectors for the matrix unit, docs/matrix-vectors.txt, with the standard library alone.

    tools/make_matrix_vectors.py         the committed file
    tools/make_matrix_vectors.py FILE    another one

What a step gives is said by tools/matrix_oracle.py. The same file comes out on every machine.
"""

import pathlib
import sys
from fractions import Fraction

from matrix_oracle import BF16, E4M3, E5M2, FP16, FP32, FP64, NV, NX, OF, UF, Format, Kind
from matrix_oracle import bits_of, cfloat8, infinity, meaning, power, step
from matrix_operands import about, any_byte, below, code_of, finite_code
from matrix_operands import largest, one_of, signed, special_codes, subnormal_code

HEADER = """\
# Test vectors for the matrix unit: docs/matrix.md says what the unit does, tools/make_matrix_vectors.py wrote this file.
#
# A vector is one matrix step:
#   step INSTRUCTION sew SEW alt ALTFMT twiden TWIDEN tm TM tn TN tk TK [cfloat DJ_CFLOAT] : what it is there for
#   A  one line for each k < tk, ascending: A[k][0] ... A[k][tm - 1]
#   B  one line for each k < tk, ascending: B[k][0] ... B[k][tn - 1]
#   C  one line for each m < tm: C[m][0] ... C[m][tn - 1] before the step
#   D  the same after it
#   flags  what the step raises, as fflags has it: NX 1, UF 2, OF 4, DZ 8, NV 10
# Elements, dj_cfloat and flags are hexadecimal, the other numbers decimal. Elements are the codes that lie in registers and
# tile: 8, 16, 32 or 64 bits. What lies outside tm, tn and tk may hold anything, changes nothing and is not changed.
# An empty line ends a vector; lines that begin with # are comments.
"""

# --- What there is to test ---

FLOATS = [
    Kind("sf.mm.f.f", 16, 1, 2, BF16, BF16, FP32),
    Kind("sf.mm.f.f", 16, 0, 2, FP16, FP16, FP32),
    Kind("sf.mm.f.f", 32, 0, 1, FP32, FP32, FP32),
    Kind("sf.mm.f.f", 64, 0, 1, FP64, FP64, FP64),
    Kind("sf.mm.e4m3.e4m3", 8, 0, 4, E4M3, E4M3, FP32),
    Kind("sf.mm.e4m3.e5m2", 8, 0, 4, E4M3, E5M2, FP32),
    Kind("sf.mm.e5m2.e4m3", 8, 0, 4, E5M2, E4M3, FP32),
    Kind("sf.mm.e5m2.e5m2", 8, 0, 4, E5M2, E5M2, FP32),
]
INTEGERS = [Kind(f"sf.mm.{a}.{b}", 8, 0, 4, a == "s", b == "s", None) for a in "us" for b in "us"]


def cfloat_kind(a_control, b_control):
    return Kind("dj.mm.cf", 8, 0, 4, cfloat8(a_control), cfloat8(b_control), FP32, a_control | b_control << 8)


def matrix(rows, columns, make):
    return [[make() for _ in range(columns)] for _ in range(rows)]


def exact(kind, a, b, m, n):
    """The exact sum of products."""
    total = Fraction(0)
    for a_row, b_row in zip(a, b):
        x, y = meaning(a_row[m], kind.a), meaning(b_row[n], kind.b)
        total += (-1) ** (x.sign ^ y.sign) * x.magnitude * y.magnitude
    return total


# --- The file ---


class Vectors:
    def __init__(self):
        self.lines, self.codes, self.flags = [HEADER], {}, 0

    def add(self, kind, why, a, b, c, tn=None):
        """One step on operands as lists of rows; `tn` where no row says it."""
        tn = len(c[0]) if c else len(b[0]) if b else tn or 0
        tm = len(c)
        after, flags = step(kind, a, b, c)
        width = kind.sew // 4
        self.lines.append(
            f"step {kind.name} sew {kind.sew} alt {kind.alt} twiden {kind.twiden} tm {tm} tn {tn} tk {len(a)}"
            + (f" cfloat {kind.cfloat:04x}" if kind.cfloat is not None else "")
            + f" : {why}"
        )
        for letter, rows, digits in (("A", a, width), ("B", b, width), ("C", c, max(8, width)), ("D", after, max(8, width))):
            self.lines += [" ".join([letter] + [f"{code:0{digits}x}" for code in row]) for row in rows]
        self.lines.append(f"flags {flags:02x}\n")
        self.flags |= flags
        for form, rows in ((kind.a, a), (kind.b, b)):
            self.codes.setdefault((kind.sew, form), set()).update(code for row in rows for code in row)

    def text(self):
        return "\n".join(self.lines)


def shape(kind):
    """Extents of an everyday vector: some have whole rows of the tile, most are small."""
    edge = 8 if kind.sew == 64 else 16
    return one_of([(2, edge), (2, 3), (3, 2), (2, 4), (5, 2)]) + (kind.twiden,)


def add_extents(vectors, kind, element, accumulator, whole_tile):
    """Partial extents, empty ones among them, and the whole tile."""
    edge, depth = 8 if kind.sew == 64 else 16, kind.twiden
    extents = [(edge, 1, depth), (1, edge, 1), (edge // 2 + 1, edge // 2 - 3, depth), (2, edge, max(1, depth - 1)), (2, edge // 2, depth)]
    extents += [(1, 1, 1), (0, 3, depth), (2, 0, depth), (2, 3, 0)] + [(edge, edge, depth)] * whole_tile
    for tm, tn, tk in extents:
        a, b = matrix(tk, tm, lambda: element(kind.a)), matrix(tk, tn, lambda: element(kind.b))
        vectors.add(kind, "extents", a, b, matrix(tm, tn, accumulator), tn)


def add_ordinary(vectors, kind, why="ordinary numbers"):
    tm, tn, tk = shape(kind)
    a, b = matrix(tk, tm, lambda: about(0, kind.a)), matrix(tk, tn, lambda: about(0, kind.b))
    vectors.add(kind, why, a, b, matrix(tm, tn, lambda: about(1, kind.c)))


def add_finite(vectors, kind):
    """Finite numbers of every size."""
    tm, tn, tk = shape(kind)
    a, b = matrix(tk, tm, lambda: finite_code(kind.a)), matrix(tk, tn, lambda: finite_code(kind.b))
    vectors.add(kind, "finite numbers of every size", a, b, matrix(tm, tn, lambda: finite_code(kind.c)))


def add_cancellation(vectors, kind):
    """C is minus the sum of the products, as near as its format comes."""
    tm, tn, tk = shape(kind)
    a, b = matrix(tk, tm, lambda: about(0, kind.a, 6)), matrix(tk, tn, lambda: about(0, kind.b, 6))
    c = [[code_of(-exact(kind, a, b, m, n), kind.c) + below(2) for n in range(tn)] for m in range(tm)]
    vectors.add(kind, "cancellation", a, b, c)


def add_ties(vectors, kind):
    """Products of half a unit in the last place of C, or by one unit of A more or less than half."""
    tm, tn, tk = shape(kind)
    one_a, one_b = code_of(1, kind.a), code_of(1, kind.b)
    a = matrix(tk, tm, lambda: signed(one_a + one_of([0, 0, 0, 1, -1]), kind.a))
    b = matrix(tk, tn, lambda: signed(one_b, kind.b))
    size = meaning(one_a, kind.a).magnitude * meaning(one_b, kind.b).magnitude
    c_one = code_of(size * power(kind.c.fraction_bits + 1), kind.c)
    vectors.add(kind, "ties", a, b, matrix(tm, tn, lambda: signed(c_one + below(8), kind.c)))


def add_subnormal_operands(vectors, kind):
    tm, tn, tk = shape(kind)
    sides = [subnormal_code, lambda form: one_of([subnormal_code(form), largest(form), about(0, form)])]
    first = below(2)
    a, b = matrix(tk, tm, lambda: sides[first](kind.a)), matrix(tk, tn, lambda: sides[1 - first](kind.b))
    c = matrix(tm, tn, lambda: one_of([subnormal_code(kind.c), 0, about(0, kind.c)]))
    vectors.add(kind, "subnormal operands", a, b, c)


def reaches(form, exponent):
    return meaning(code_of(power(exponent), form), form).magnitude == power(exponent)


def add_subnormal_results(vectors, kind):
    tm, tn, tk = shape(kind)
    least, spread = 1 - kind.c.bias, kind.c.fraction_bits // 3
    half = (least - kind.c.fraction_bits // 2) // 2
    a, b = matrix(tk, tm, lambda: about(half, kind.a, spread)), matrix(tk, tn, lambda: about(half, kind.b, spread))
    c = matrix(tm, tn, lambda: one_of([subnormal_code(kind.c), signed(0, kind.c), about(least, kind.c, 1)]))
    vectors.add(kind, "subnormal results", a, b, c)


def add_tiny(vectors, kind):
    """Just below the smallest normal number: tiny as rounded with unbounded exponent, or not."""
    least, fraction = 1 - kind.c.bias, kind.c.fraction_bits
    half = least // 2
    for quarters in (1, 2, 3, 4, 6, 7):
        x, y = code_of(-quarters * power(half), kind.a), code_of(power(least - fraction - 3 - half), kind.b)
        why = f"the smallest normal number minus {quarters}/8 of its unit in the last place"
        vectors.add(kind, why, [[x]], [[y]], [[code_of(power(least), kind.c)]])


def add_overflow(vectors, kind):
    tm, tn, tk = shape(kind)
    top = kind.c.bias  # the largest number is just below 2^(top + 1)
    half = top // 2
    a, b = matrix(tk, tm, lambda: about(half, kind.a, 1)), matrix(tk, tn, lambda: about(half + 1, kind.b, 1))
    c = matrix(tm, tn, lambda: one_of([about(top - 1, kind.c, 1), signed(largest(kind.c), kind.c)]))
    vectors.add(kind, "overflow", a, b, c)
    for eighths in (3, 4, 5):
        for sign in (1, -1):
            x, y = code_of(sign * eighths * power(half), kind.a), code_of(power(top - kind.c.fraction_bits - 3 - half), kind.b)
            c = code_of(sign * power(top + 1), kind.c)
            vectors.add(kind, f"the largest number and {eighths}/8 of its unit in the last place", [[x]], [[y]], [[c]])


def add_largest(vectors, kind):
    """Where products are too small to overflow: the largest number stays, inexactly."""
    tm, tn, tk = shape(kind)
    a, b = matrix(tk, tm, lambda: signed(largest(kind.a), kind.a)), matrix(tk, tn, lambda: signed(largest(kind.b), kind.b))
    vectors.add(kind, "largest numbers", a, b, matrix(tm, tn, lambda: one_of([signed(largest(kind.c), kind.c), about(0, kind.c)])))


def add_zeros(vectors, kind):
    tm, tn, tk = shape(kind)
    for choices, tm, tn, tk in (([0, 0, 1, code_of(1, FP32)], tm, tn, tk), ([0], 4, 4, 1)):

        def element(form):
            return signed(code_of(1, form) if (chosen := one_of(choices)) > 1 else chosen, form)

        a, b = matrix(tk, tm, lambda: element(kind.a)), matrix(tk, tn, lambda: element(kind.b))
        vectors.add(kind, "signed zeros", a, b, matrix(tm, tn, lambda: element(kind.c)))


def add_infinities_and_nans(vectors, kind):
    """Small steps, so that their flags say something, and large ones with a few such operands."""
    forms = kind.a, kind.b, kind.c
    quiet, signalling, infinite = zip(*map(special_codes, forms))
    kinds = {
        "quiet NaN": quiet,
        "signalling NaN": signalling,
        "infinity": infinite,
        "zero": [[0, 1 << (bits_of(form) - 1)] for form in forms],
        "one": [[code_of(1, form)] for form in forms],
        "largest": [[largest(form)] for form in forms],
    }
    cases = [
        ("one", "one", "infinity"), ("one", "one", "quiet NaN"), ("one", "one", "signalling NaN"),
        ("quiet NaN", "one", "one"), ("one", "quiet NaN", "infinity"), ("quiet NaN", "quiet NaN", "quiet NaN"),
        ("signalling NaN", "one", "one"), ("one", "signalling NaN", "quiet NaN"), ("signalling NaN", "infinity", "zero"),
        ("quiet NaN", "zero", "one"), ("zero", "quiet NaN", "signalling NaN"), ("quiet NaN", "infinity", "infinity"),
        ("infinity", "one", "one"), ("one", "infinity", "one"), ("infinity", "infinity", "zero"),
        ("infinity", "zero", "one"), ("zero", "infinity", "one"), ("infinity", "zero", "quiet NaN"), ("zero", "infinity", "infinity"),
        ("infinity", "one", "infinity"), ("one", "infinity", "infinity"), ("largest", "largest", "infinity"),
    ]
    for case in cases:
        choices = [kinds[name][side] for side, name in enumerate(case)]
        if all(choices):
            a, b, c = (one_of(choice) for choice in choices)
            for addend in infinite[2] if case[2] == "infinity" else [c]:  # infinities of both signs
                vectors.add(kind, "{} x {} + {}".format(*case), [[a]], [[b]], [[addend]])

    def element(side, is_special):
        return one_of(quiet[side] + signalling[side] + infinite[side] + [0]) if is_special and below(8) == 0 else about(0, forms[side])

    for sides in ("A", "B", "C", "A, B and C"):
        edge = 8 if kind.sew == 64 else 16
        tm, tn, tk = one_of([(3, edge), (3, 2)]) + (kind.twiden,)
        sizes = (tk, tm), (tk, tn), (tm, tn)
        a, b, c = (matrix(*size, lambda: element(side, "ABC"[side] in sides)) for side, size in enumerate(sizes))
        vectors.add(kind, f"infinities and NaNs in {sides}", a, b, c)


def add_every_code(vectors, kind, on_a, blocks=range(4)):
    """64 codes at a time. Where sums of them are exact the other side is ones; where they are not, or a NaN could hide the others,
    it is an identity matrix."""
    codes_of, other = (kind.a, kind.b) if on_a else (kind.b, kind.a)
    one = code_of(1, other) if isinstance(other, Format) else 1
    exact_sums = not isinstance(codes_of, Format) or codes_of[:2] + codes_of[3:4] == (4, 3, "ordinary")
    side = [[one]] * 4 if exact_sums else [[one if i == k else 0 for i in range(4)] for k in range(4)]
    width = len(side[0])
    for block in blocks:
        codes = [[64 * block + 16 * k + i for i in range(16)] for k in range(4)]
        if on_a:
            vectors.add(kind, "every code of A", codes, side, matrix(16, width, lambda: 0))
        else:
            vectors.add(kind, "every code of B", side, codes, matrix(width, 16, lambda: 0))


def add_any_codes(vectors, kind, accumulator):
    tm, tn, tk = shape(kind)
    vectors.add(kind, "any codes", matrix(tk, tm, any_byte), matrix(tk, tn, any_byte), matrix(tm, tn, accumulator))


def float_vectors(vectors, kind):
    wide = reaches(kind.a, -70) or kind.sew == 64  # products can overflow and be tiny
    add_extents(vectors, kind, lambda form: about(0, form), lambda: about(1, kind.c), wide or kind.b != kind.a == E4M3)
    for _ in range(2 if wide else 1):
        add_ordinary(vectors, kind)
        add_finite(vectors, kind)
        add_cancellation(vectors, kind)
        add_ties(vectors, kind)
        add_subnormal_operands(vectors, kind)
        add_subnormal_results(vectors, kind)
    if wide:
        add_tiny(vectors, kind)
        add_overflow(vectors, kind)
    add_largest(vectors, kind)
    add_zeros(vectors, kind)
    add_infinities_and_nans(vectors, kind)


def integer_vectors(vectors, kind):
    word = lambda: below(1 << 32)
    near_wrap = lambda: (one_of([0, 1 << 31]) + below(1 << 17) - (1 << 16)) % (1 << 32)
    extreme = lambda _=None: one_of([0x00, 0x01, 0x7F, 0x80, 0x81, 0xFF])
    add_extents(vectors, kind, lambda _: any_byte(), word, kind.a and not kind.b)
    for _ in range(2):
        add_any_codes(vectors, kind, word)
        tm, tn, tk = shape(kind)
        vectors.add(kind, "extremes and wrapping sums", matrix(tk, tm, extreme), matrix(tk, tn, extreme), matrix(tm, tn, near_wrap))
    add_every_code(vectors, kind, kind.a == kind.b)


def cfloat_vectors(vectors):
    modes = [0x00, 0x40, 0x80, 0xC0]  # format and denormals of one side
    plain = cfloat_kind(7, 0x40 | 15)
    add_extents(vectors, plain, lambda form: about(0, form), lambda: about(1, FP32), False)
    for mode in modes:
        for block in range(4):
            control, other = mode | (5 + 13 * block), modes[block] | 31
            on_a = block % 2 == 0
            kind = cfloat_kind(control, other) if on_a else cfloat_kind(other, control)
            add_every_code(vectors, kind, on_a, [block])
    for a_mode in modes:
        for b_mode in modes:
            kind = cfloat_kind(a_mode | below(64), b_mode | below(64))
            add_any_codes(vectors, kind, lambda: about(0, FP32, 20))
            near_one = cfloat_kind(a_mode | 7 + below(9), b_mode | 7 + below(9))
            one_of([add_ordinary, add_cancellation, add_ties, add_subnormal_operands])(vectors, near_one)
    for a_bias, b_bias in ((0, 0), (0, 63), (63, 0), (63, 63)):
        kind = cfloat_kind(0x40 | a_bias, 0x40 | b_bias)
        add_finite(vectors, kind)
        add_largest(vectors, kind)
        add_subnormal_results(vectors, kind)
        add_zeros(vectors, kind)
    add_infinities_and_nans(vectors, plain)
    add_infinities_and_nans(vectors, cfloat_kind(0xC0 | 15, 0x87))


def check(vectors):
    """The vectors meet every code of the formats of 8 bits, and every flag that a step can raise."""
    for form in (E4M3, E5M2, False, True):
        assert len(vectors.codes[8, form]) == 256, form
    for mode in (0x00, 0x40, 0x80, 0xC0):
        met = [vectors.codes.get((8, cfloat8(mode | bias)), set()) for bias in range(64)]
        assert len(set().union(*met)) == 256, mode
    assert vectors.flags == NX | UF | OF | NV


def main():
    vectors = Vectors()
    for kind in FLOATS:
        float_vectors(vectors, kind)
    for kind in FLOATS[4:]:
        add_every_code(vectors, kind, kind.a == kind.b)
    for kind in INTEGERS:
        integer_vectors(vectors, kind)
    cfloat_vectors(vectors)
    check(vectors)
    home = pathlib.Path(__file__).resolve().parent.parent
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else home / "docs" / "matrix-vectors.txt"
    path.write_text(vectors.text())


if __name__ == "__main__":
    main()
