"""riscv-tests: each program says through tohost whether it passed. Spike has to agree that it can be passed."""
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from spike import ISA, ask_spike
from suite import Outcome, Suite, Test, Tools, call, failed, first_line

# GNU's assembler knows .float16 and clang's the newer instructions.
GNU_ISA = "rv64gc_zba_zbb_zbs_zbc_zfh_zicsr_zifencei"


def run_test(checkout: Path, source: Path, folder: Path, tools: Tools) -> Outcome:
    includes = [f"-I{checkout}/env/p", f"-I{checkout}/env", f"-I{checkout}/isa/macros/scalar"]
    code, _, errors = call(["riscv64-unknown-elf-gcc", "-E", "-march=rv64gc", "-mabi=lp64d", *includes, source, "-o",
                            "test.s"], folder)
    gnu = ["riscv64-unknown-elf-as", f"-march={GNU_ISA}", "-mabi=lp64d"]
    clang = ["clang-22", "--target=riscv64-unknown-elf", f"-march={ISA}", "-mabi=lp64d", "-c"]
    for assembler in (gnu, clang) if code == 0 else ():
        code, _, errors = call([*assembler, "test.s", "-o", "test.o"], folder)
        if code == 0:
            break
    if code == 0:
        code, _, errors = call(["riscv64-unknown-elf-ld", "-N", "-static", "-T", checkout / "env/p/link.ld",
                                "test.o", "-o", "test.elf"], folder)
    if code != 0:
        return Outcome("failed", f"neither GNU's assembler nor clang builds it: {first_line(errors)}")
    spike, _, errors = ask_spike("test.elf", folder, tools, seconds=60)  # one of them never ends there
    if spike != 0:
        return Outcome("failed", f"Spike fails it, too ({spike})")
    code, _, errors = call([tools.dojo, "exec", "--quiet", "--no-timing", "--max-instructions",
                            "100000000", "test.elf"], folder)
    return Outcome("passed") if code == 0 else failed(code, errors)


def tests(checkout: Path, _: Path) -> Iterator[Test]:
    for source in sorted((checkout / "isa").glob("rv64*/*.S")):
        yield Test(f"{source.parent.name}-{source.stem}", partial(run_test, checkout, source))


RISCV_TESTS = Suite("riscv-tests", ("isa/rv64ui", "env/p/link.ld"), tests)
