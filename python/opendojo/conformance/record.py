"""What came of every node: a file to which a line is added for each.

The file is JSON lines. The first says what was run; an interrupted run goes on behind the last whole line.
"""

import json
import os


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
        self.results[name] = {"node": name, **result}
        self._add(self.results[name])
