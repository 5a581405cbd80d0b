"""Spike, the oracle of the suites for RISC-V: what it is asked for, and whether it can be asked at all."""
import re
import sys
from pathlib import Path

from suite import TIMEOUT_SECONDS, Outcome, Tools, call, first_line

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))
import architecture  # noqa: E402


def instruction_set() -> str:
    """What a node has and clang knows by the names of RISC-V: all but what is SiFive's or ours."""
    names = [name for name in architecture.extensions() if not name.startswith("x")]
    single = "".join(name for name in names if len(name) == 1 and name != "b")
    return "_".join([f"rv64{single}", *(name for name in names if len(name) > 1), "zvl512b"])


ISA = instruction_set()


def ask_spike(program: str, folder: Path, tools: Tools, *options: str, seconds: int = TIMEOUT_SECONDS
              ) -> tuple[int, str, str]:
    """A program's exit code there, its output and errors."""
    return call([tools.spike, f"--isa={architecture.spike()}", *options, program], folder, seconds=seconds)


def same_signature(program: str, folder: Path, tools: Tools) -> Outcome:
    """Passed if the program ends well here and there and leaves the same from begin_signature to end_signature."""
    # Spike takes a second; where a test traps without end it does not stop.
    code, words, errors = ask_spike(program, folder, tools, "+signature=right", "+signature-granularity=8", seconds=120)
    if code != 0:
        return Outcome("failed", f"Spike ends with {code}: {first_line(errors or words)}")
    code, _, errors = call([tools.dojo, "exec", "--quiet", "--no-timing", "--memory", "64M", "--signature", "ours",
                            "--signature-granularity", "8", program], folder)
    if code != 0:
        return Outcome("failed", f"exit code {code}: {first_line(errors)}")
    right, ours = ((folder / name).read_text().split() for name in ("right", "ours"))
    if len(right) != len(ours) or not right:
        return Outcome("failed", f"{len(ours)} lines of signature for {len(right)}")
    different = [at for at, (a, b) in enumerate(zip(right, ours)) if a != b]
    if not different:
        return Outcome("passed")
    at = different[0]
    return Outcome("failed", f"signature line {at + 1} of {len(right)} is {ours[at]}, Spike's {right[at]}; "
                             f"{len(different)} differ")


PROGRAM = """
  .globl _start
_start:
  la t0, tohost
  li t1, {word}
  sd t1, 0(t0)
1: j 1b
  .balign 64
  .globl tohost, fromhost
tohost: .dword 0
fromhost: .dword 0
"""


def objection_to_spike(folder: Path, tools: Tools) -> str:
    """Why Spike cannot be asked: it must tell a program that passes from one that fails. Empty: it can."""
    for word, right in ((1, 0), (2 * 5 + 1, 5)):
        (folder / "probe.S").write_text(PROGRAM.format(word=word))
        code, _, errors = call(["riscv64-unknown-elf-gcc", "-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany", "-static",
                                "-nostdlib", "-Wl,-N,-Ttext=0x80000000", "probe.S", "-o", "probe.elf"], folder)
        if code != 0:
            return f"riscv64-unknown-elf-gcc does not build its probe: {first_line(errors)}"
        code, _, errors = ask_spike("probe.elf", folder, tools)
        if code != right:
            return f"Spike ends with {code} where {right} is right: {first_line(errors)}"
    return ""
