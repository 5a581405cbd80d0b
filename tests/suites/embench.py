"""Embench: each benchmark checks its own result, and ends with code 0 if it is right."""
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from suite import Outcome, Suite, Test, Tools, call, failed, first_line

# What its main() wants of a board. Nothing is measured here.
BOARD = """
void initialise_board(void) {}
void start_trigger(void) {}
void stop_trigger(void) {}
"""


def run_test(checkout: Path, benchmark: Path, folder: Path, tools: Tools) -> Outcome:
    (folder / "board.c").write_text(BOARD)
    support = checkout / "support"
    code, _, errors = call([tools.dojo, "cc", "-O2", "-w", "-DWARMUP_HEAT=1", "-DGLOBAL_SCALE_FACTOR=1", f"-I{support}",
                            f"-I{benchmark}", support / "main.c", support / "beebsc.c", "board.c",
                            *sorted(benchmark.glob("*.c")), "-lm", "-o", "test.elf"], folder)
    if code != 0:
        return Outcome("failed", f"dojo cc: {first_line(errors)}")
    code, _, errors = call([tools.dojo, "exec", "--quiet", "test.elf"], folder)
    return Outcome("passed") if code == 0 else failed(code, errors)


def tests(checkout: Path, _: Path) -> Iterator[Test]:
    for benchmark in sorted(path for path in (checkout / "src").iterdir() if path.is_dir()):
        yield Test(benchmark.name, partial(run_test, checkout, benchmark))


EMBENCH = Suite("embench-iot", ("src/crc32", "support/main.c"), tests)
