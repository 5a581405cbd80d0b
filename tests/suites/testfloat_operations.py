"""What RISC-V's scalar floating-point instructions are called by TestFloat, as rows for testfloat.cpp.

A spelling is one or more instructions that compute an operation from the operands %2, %3 and %4 to the register %0;
{mode} stands where an instruction names its rounding mode.
"""
from collections.abc import Iterator
from dataclasses import dataclass

MODES = ["rne", "rtz", "rdn", "rup", "rmm"]  # in the order of their numbers
NO_MODE = "dyn"  # takes it from frm


@dataclass(frozen=True)
class Operation:
    name: str
    operands: int
    result_bits: int
    spellings: tuple[str, ...]
    function: str = ""          # TestFloat's, where it is not the name
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    name: str   # TestFloat's
    bits: int
    suffix: str  # of instructions
    move: str    # of those that move bits from and to integer registers


F16, F32, F64 = Format("f16", 16, "h", "h"), Format("f32", 32, "s", "w"), Format("f64", 64, "d", "d")
BF16 = Format("bf16", 16, "bf16", "h")
FORMATS = [F16, F32, F64]
INTEGERS = {"i32": (32, "w"), "ui32": (32, "wu"), "i64": (64, "l"), "ui64": (64, "lu")}
EXACT = ("-exact",)  # a result that is not the operand's value is told by a flag


def loaded(f: Format, count: int) -> str:
    return "; ".join(f"fmv.{f.move}.x ft{i}, %{i + 2}" for i in range(count))


def computed(f: Format, count: int, instruction: str, to: Format | None = None) -> str:
    return f"{loaded(f, count)}; {instruction}; fmv.x.{(to or f).move} %0, ft3"


def arithmetic(f: Format) -> Iterator[Operation]:
    for name in ("add", "sub", "mul", "div"):
        yield Operation(f"{f.name}_{name}", 2, f.bits, (computed(f, 2, f"f{name}.{f.suffix} ft3, ft0, ft1, {{mode}}"),))
    yield Operation(f"{f.name}_sqrt", 1, f.bits, (computed(f, 1, f"fsqrt.{f.suffix} ft3, ft0, {{mode}}"),))
    negate_a, negate_c = f"fneg.{f.suffix} ft0, ft0; ", f"fneg.{f.suffix} ft2, ft2; "
    yield Operation(f"{f.name}_mulAdd", 3, f.bits, tuple(
        computed(f, 3, f"{first}{name}.{f.suffix} ft3, ft0, ft1, ft2, {{mode}}") for first, name in (
            ("", "fmadd"), (negate_c, "fmsub"), (negate_a, "fnmsub"), (negate_a + negate_c, "fnmadd"))))
    for name, instruction in (("eq", "feq"), ("le", "fle"), ("lt", "flt"), ("le_quiet", "fleq"), ("lt_quiet", "fltq")):
        yield Operation(f"{f.name}_{name}", 2, 64, (f"{loaded(f, 2)}; {instruction}.{f.suffix} %0, ft0, ft1",))
    for name, instruction, options in (("round", "fround", ("-notexact",)), ("roundnx", "froundnx", EXACT)):
        yield Operation(f"{f.name}_{name}", 1, f.bits,
                        (computed(f, 1, f"{instruction}.{f.suffix} ft3, ft0, {{mode}}"),),
                        f"{f.name}_roundToInt", options)


def to_integers(f: Format) -> Iterator[Operation]:
    for name, (bits, suffix) in INTEGERS.items():
        yield Operation(f"{f.name}_to_{name}", 1, bits,
                        (f"{loaded(f, 1)}; fcvt.{suffix}.{f.suffix} %0, ft0, {{mode}}",), options=EXACT)


def from_integers(f: Format) -> Iterator[Operation]:
    for name, (bits, suffix) in INTEGERS.items():
        mode = "" if f is F64 and bits == 32 else ", {mode}"  # always exact
        yield Operation(f"{name}_to_{f.name}", 1, f.bits,
                        (f"fcvt.{f.suffix}.{suffix} ft3, %2{mode}; fmv.x.{f.move} %0, ft3",))


def conversions() -> Iterator[Operation]:
    for a, b in [(F16, F32), (F16, F64), (F32, F64), (F32, F16), (F64, F16), (F64, F32), (BF16, F32), (F32, BF16)]:
        mode = "" if b.bits > a.bits else ", {mode}"
        yield Operation(f"{a.name}_to_{b.name}", 1, b.bits,
                        (computed(a, 1, f"fcvt.{b.suffix}.{a.suffix} ft3, ft0{mode}", b),))


def operations() -> list[Operation]:
    of_format = (arithmetic, to_integers, from_integers)
    return [operation for f in FORMATS for kind in of_format for operation in kind(f)] + list(conversions())


def rows() -> str:
    """For testfloat.cpp."""
    text = ""
    for operation in operations():
        for spelling in operation.spellings:
            runs = ", ".join(f'RUN("{spelling.format(mode=mode)}")' for mode in (*MODES, NO_MODE))
            text += f'{{"{operation.name}", {operation.operands}, {operation.result_bits}, {{{runs}}}}},\n'
    return text
