"""riscv-arch-test: programs that leave a signature, which has to be what Spike leaves.

The tests themselves say for which instruction sets they are, and with which macros (RVTEST_ISA, RVTEST_CASE); as
with riscof, their own driver, the ones for RV64 that a node's instruction set answers to are run.
"""
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spike import ISA, same_signature
from suite import Outcome, Suite, Test, Tools, call, first_line

# Names that only promise something about time or memory; "Zkt" would also answer to all that asks for "Zk".
NO_INSTRUCTIONS = re.compile(r"zkt|zvkt|zvl\d+b|zic.*m|zicc.*|zic64b|za64rs")
ORDER = "imafdqlcbkjtpvh"  # of single letters, and of what follows a Z
CONDITIONS = {"hw_data_misaligned_support": "True"}


def described(architecture: str) -> str:
    """As riscof writes it: RV64IMAFDCVZicsr_Zifencei_..., each Z in the order of the letter behind it."""
    single, *rest = architecture.removeprefix("rv64").split("_")
    names = sorted((name for name in rest if not NO_INSTRUCTIONS.fullmatch(name)),
                   key=lambda name: (ORDER.find(name[1]), name))
    return f"RV64{single.upper()}" + "_".join(name.capitalize() for name in names)


@dataclass(frozen=True)
class Wanted:
    march: str
    macros: tuple[str, ...]


def parts(alternative: str) -> list[str]:
    """The extensions of RV64IFD_Zicsr or RV64IZbb: i, f, d, zicsr."""
    single, several = re.match(r"RV64([A-Y]*)(.*)", alternative).groups()
    return [*single.lower(), *(name.lower() for name in re.findall(r"Z[a-z0-9]+", several))]


def holds(condition: str, architecture: str) -> bool:
    name, value = re.fullmatch(r"check (\w+)\s*:=\s*(.*)", condition).groups()
    if name == "ISA":
        return re.fullmatch(re.fullmatch(r"regex\((.*)\)", value)[1], architecture) is not None
    return CONDITIONS[name] == value


def wanted(text: str, architecture: str) -> Wanted | None:
    """How a test is to be assembled; None: it is for other machines."""
    macros = set()
    for case in re.findall(r'RVTEST_CASE\(\d+\s*,\s*"//([^"]*)"', text):
        steps = [step.strip() for step in case.split(";") if step.strip()]
        if all(holds(step, architecture) for step in steps if step.startswith("check")):
            macros |= {step.removeprefix("def ").replace(" ", "") for step in steps if step.startswith("def")}
    alternatives = [a.strip() for a in re.search(r'RVTEST_ISA\("([^"]*)"\)', text)[1].split(",")]
    having = re.match(r"RV64([A-Z]*?)(?=Z|$)", architecture)[1].lower()
    ours = [names for names in (parts(a) for a in alternatives if a.startswith("RV64"))
            if all(name in having if len(name) == 1 else name.capitalize() in re.findall(r"Z[a-z0-9]+", architecture)
                   for name in names)]
    if not macros or not ours:
        return None
    longest = max(ours, key=len)
    single = "".join(name for name in longest if len(name) == 1)
    march = "_".join([f"rv64{single}", *(name for name in longest if len(name) > 1)])
    float_bits = 64 if "d" in longest or not {"f", "zfh"} & set(longest) else 32
    return Wanted(march, (*sorted(macros), "XLEN=64", f"FLEN={float_bits}"))


def run_test(checkout: Path, source: Path, how: Wanted, folder: Path, tools: Tools) -> Outcome:
    model = checkout / "riscof-plugins/rv64/makeplugin/env"
    abi = "lp64d" if "FLEN=64" in how.macros and "d" in how.march else "lp64"
    rest = [f"-march={how.march}", f"-mabi={abi}", *(f"-D{macro}" for macro in how.macros), f"-I{model}",
            f"-I{checkout}/riscv-test-suite/env", "-c", source, "-o", "test.o"]
    # GNU's assembler is the faster one, clang's knows the newer instructions.
    for assembler in (["riscv64-unknown-elf-gcc"], ["clang-22", "--target=riscv64-unknown-elf"]):
        code, _, errors = call([*assembler, *rest], folder)
        if code == 0:
            break
    else:
        return Outcome("failed", f"neither gcc nor clang assembles it: {first_line(errors)}")
    code, _, errors = call(["riscv64-unknown-elf-ld", "-N", "-static", "-T", model / "link.ld", "test.o",
                            "-o", "test.elf"], folder)
    if code != 0:
        return Outcome("failed", f"does not link: {first_line(errors)}")
    return same_signature("test.elf", folder, tools)


def tests(checkout: Path, _: Path) -> Iterator[Test]:
    architecture = described(ISA)
    suite = checkout / "riscv-test-suite"
    for source in sorted([*suite.glob("rv32i_m/*/src/**/*.S"), *suite.glob("rv64i_m/*/src/**/*.S")]):
        how = wanted(source.read_text(errors="replace"), architecture)
        if how is not None:
            folder, extension, *_ = source.relative_to(suite).parts
            yield Test(f"{folder}-{extension}-{source.stem}", partial(run_test, checkout, source, how))


ARCH_TESTS = Suite("riscv-arch-test",
                   ("riscv-test-suite/env/arch_test.h", "riscof-plugins/rv64/makeplugin/env/link.ld"), tests)
