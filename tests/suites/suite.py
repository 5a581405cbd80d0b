"""The words of this folder: a suite is other people's tests, a test is built and run in a folder of its own and
returns an Outcome. The checkout that a suite lies in is only read.
"""
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 600  # for a computer that has other things to do, too
TOOK_TOO_LONG = 124  # as timeout(1) says it


@dataclass(frozen=True)
class Tools:
    dojo: Path
    spike: Path


@dataclass(frozen=True)
class Outcome:
    kind: str  # passed or failed; in the table also refused: failed as the list in refusals.py says
    reason: str = ""


@dataclass(frozen=True)
class Test:
    name: str
    run: Callable[[Path, Tools], Outcome]  # in an empty folder


@dataclass(frozen=True)
class Suite:
    name: str                   # the usual name of its checkout
    known_by: tuple[str, ...]   # files by which one knows it, submodules and neighbours included
    tests: Callable[[Path, Path], Iterator[Test]]  # from the checkout, and from the folder of what prepare made
    prepare: Callable[[Path, Path, Tools], None] = lambda checkout, prepared, tools: None


class Unprepared(Exception):
    """What a suite's tests need cannot be built: why, for people."""


def call(command: list, folder: Path, text: str = "", seconds: int = TIMEOUT_SECONDS) -> tuple[int, str, str]:
    """Exit code, output and errors of a command. Ctrl-C is the runner's: timeout(1) gives the command a process
    group of its own, so that a test under way ends as it would have ended."""
    done = subprocess.run(["timeout", "--kill-after=5", str(seconds), *(str(part) for part in command)], cwd=folder,
                          input=text, capture_output=True, text=True, errors="replace")
    late = f"took more than {seconds} s\n" if done.returncode == TOOK_TOO_LONG else ""
    return done.returncode, done.stdout, late + done.stderr


def first_line(text: str) -> str:
    """The first that names an error, or the first."""
    lines = [line for line in text.splitlines() if "error" in line] or text.splitlines() or ["no message"]
    return lines[0].strip()


def failed(code: int, errors: str) -> Outcome:
    return Outcome("failed", f"exit code {code}: {first_line(errors)}")
