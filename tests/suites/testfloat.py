"""Berkeley TestFloat: its generator, built with SoftFloat as RISC-V wants it, here; the instructions on a node."""
import re
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from suite import Outcome, Suite, Test, Tools, Unprepared, call, failed, first_line
from testfloat_operations import MODES, Operation, operations, rows

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
import architecture  # noqa: E402

SOFTFLOAT = "berkeley-softfloat-3"
BUILD = "build/Linux-x86_64-GCC"
MODE_OPTIONS = dict(zip(MODES, ("-rnear_even", "-rminMag", "-rmin", "-rmax", "-rnear_maxMag")))


def prepare(checkout: Path, prepared: Path, tools: Tools) -> None:
    for source in (checkout, checkout.parent / SOFTFLOAT):  # they build where they lie
        shutil.copytree(source, prepared / source.name, ignore=shutil.ignore_patterns(".git"))
    for folder, targets in ((SOFTFLOAT, ["SPECIALIZE_TYPE=RISCV"]), (checkout.name, ["testfloat_gen"])):
        code, _, errors = call(["make", "-j2", "-C", prepared / folder / BUILD, *targets], prepared)
        if code != 0:
            raise Unprepared(f"{folder} does not build: {first_line(errors)}")
    (prepared / "testfloat_rows.h").write_text(rows())
    code, _, errors = call([tools.dojo, "cc", "-O2", f"-march={architecture.march()}_zfa", f"-I{prepared}",
                            Path(__file__).with_suffix(".cpp"), "-o", prepared / "testfloat.elf"], prepared)
    if code != 0:
        raise Unprepared(f"dojo cc: {first_line(errors)}")


def run_test(prepared: Path, operation: Operation, mode: str, folder: Path, tools: Tools) -> Outcome:
    generator = prepared / "berkeley-testfloat-3" / BUILD / "testfloat_gen"
    generate = [generator, "-level", "1", "-tininessafter", MODE_OPTIONS[mode], *operation.options,
                operation.function or operation.name]
    execute = [tools.dojo, "exec", "--quiet", "--no-timing", prepared / "testfloat.elf", "--", operation.name,
               MODES.index(mode)]
    code, words, errors = call(["bash", "-c", "set -o pipefail; " + " | ".join(
        " ".join(f"'{part}'" for part in command) for command in (generate, execute))], folder)
    if code == 0 and re.search(r"^[1-9]\d* cases, 0 wrong$", words, re.M):
        return Outcome("passed")
    return failed(code, words + errors)


def tests(_: Path, prepared: Path) -> Iterator[Test]:
    for operation in operations():
        for mode in MODES:
            yield Test(f"{operation.name}-{mode}", partial(run_test, prepared, operation, mode))


TESTFLOAT = Suite("berkeley-testfloat-3", (f"{BUILD}/Makefile", f"../{SOFTFLOAT}/{BUILD}/Makefile"), tests, prepare)
