"""What came of every node: a file to which a line is added for each.

The file is JSON lines. The first says what was run; an interrupted run goes on behind the last whole line. Every other
says which version of the library and the package gave it.
"""

import functools
import hashlib
import json
import os
import pathlib

from opendojo.conformance.judge import PASSED, WRONG
from opendojo.library import path as library_path


@functools.cache
def version():
    """Of the library and of this package: twelve digits that other contents change."""
    package = pathlib.Path(__file__).parent.parent
    content = hashlib.sha256(pathlib.Path(library_path()).read_bytes())
    for source in sorted(package.rglob("*.py")):
        content.update(source.read_bytes())
    return content.hexdigest()[:12]


class Record:
    """The results of a run, by the node's name."""

    def __init__(self, path, about):
        self._path, self.results = path, {}
        if os.path.exists(path):
            self._read(about)
        else:
            self._add(about)

    def _read(self, about):
        with open(self._path, "rb+") as file:
            text = file.read()
            whole = text.rfind(b"\n") + 1
            file.truncate(whole)  # a line that was being written when the run was ended
        lines = [json.loads(line) for line in text[:whole].splitlines()]
        if not lines:
            self._add(about)
        elif lines[0] != about:
            raise ValueError(f"{self._path}: holds results of {lines[0]}, this is {about}")
        self.results = {line["node"]: line for line in lines[1:]}

    def _add(self, line):
        with open(self._path, "ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def add(self, name, result):
        self.results[name] = {"node": name, **result, "version": version()}
        self._add(self.results[name])


def outcomes_text(results):
    """A line for each node: its outcome, its name."""
    return "".join(f"{one['outcome']}\t{name}\n" for name, one in results.items())


def departures(text, results):
    """What differs from outcomes_text of another time, as (sentences on what has become worse, on what has become better).
    Worse is a node that passed and does not, or that is not there."""
    worse, better = [], []
    for line in text.splitlines():
        outcome, name = line.split("\t")
        now = results.get(name)
        if now is None:
            worse.append(f"{name}: {outcome} before, now not tried")
        elif now["outcome"] != outcome:
            is_worse = outcome == PASSED or now["outcome"] == WRONG
            said = f"{name}: {outcome} before, now {now['outcome']}"
            (worse if is_worse else better).append(f"{said}: {now['why'][:200]}" if now["why"] else said)
    return worse, better
