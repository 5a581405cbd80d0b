"""What earlier runs found, so that an interrupted or killed one goes on where it was.

A file of one line per test, written as each ends. A line counts as long as what it depends on is what it was: the
emulator, Spike's command, what programs are built from, the suite's file of this folder, and its checkout. What
failed is tried again, unless a list says that it must fail.
"""
import fcntl
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from suite import Outcome, Suite, Tools

here = Path(__file__).resolve().parent
root = here.parents[1]


class InUse(Exception):
    """Another run writes this file."""


def digest_of_tools(tools: Tools) -> str:
    digest = hashlib.sha256()
    sources = [path for folder in ("device", "machines") for path in sorted((root / folder).rglob("*"))]
    for path in [tools.dojo, tools.spike, root / "docs/isa.md", here / "suite.py", here / "spike.py", *sources]:
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def digest_of_suite(suite: Suite) -> str:
    """Its module, and the files that are called like it."""
    module = Path(sys.modules[suite.tests.__module__].__file__)
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(module.parent.glob(module.stem + "*"))
                                   )).hexdigest()


def digest_of_checkout(checkout: Path) -> str:
    """By names, sizes and times: hundreds of megabytes are not read at each start."""
    digest = hashlib.sha256()
    for path in sorted(checkout.rglob("*")):
        if ".git" not in path.parts and path.is_file():
            state = path.stat()
            digest.update(f"{path.relative_to(checkout)} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


class Outcomes:
    """keys: what the outcomes of each suite depend on. must_fail: of a suite and a test."""

    def __init__(self, file: Path, keys: dict[str, str], must_fail: Callable[[str, str], bool]):
        self.keys, self.known = keys, {}
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file = file.open("a+")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise InUse(f"{file} is in use by another run") from None
        self.file.seek(0)
        others = []  # of suites that are not in this folder
        for line in self.file.read().splitlines():
            try:
                suite, key, test, kind, reason = json.loads(line)
            except ValueError:
                continue  # the last one before a kill may be half a line
            if suite not in keys:
                others.append(line)
            elif key == keys[suite] and (kind == "passed" or must_fail(suite, test)):
                self.known[suite, test] = Outcome(kind, reason)
        self.file.truncate(0)
        self.file.write("".join(line + "\n" for line in others))
        for (suite, test), outcome in self.known.items():
            self._write(suite, test, outcome)
        self.file.flush()

    def close(self) -> None:
        self.file.close()

    def keep(self, suite: str, test: str, outcome: Outcome) -> None:
        self.known[suite, test] = outcome
        self._write(suite, test, outcome)
        self.file.flush()

    def _write(self, suite: str, test: str, outcome: Outcome) -> None:
        self.file.write(json.dumps([suite, self.keys[suite], test, outcome.kind, outcome.reason]) + "\n")
