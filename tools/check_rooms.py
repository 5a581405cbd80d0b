#!/usr/bin/env python3
"""Holds the rooms to the table of ARCHITECTURE.md. Prints each offence; exit code 1 if any.

src/ROOM includes itself and the rooms that its row names, all of them on lower levels, and nothing outside of src/
but, in tests, tests/support;
device/ includes itself and the few headers that nodes share with this computer; tools/, tests/ and bench/ may include
every room, but only files that are there.

No string under src/ names an option of the command: the rows of tools/ say which there are, and everything else that
begins with "--" is another program's.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
shared_with_nodes = {"numerics/scalar_math.h"}


def table():
    """By room: its level and the rooms that it may see."""
    rooms = {}
    for line in (root / "ARCHITECTURE.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].isdigit():
            rooms[cells[1]] = int(cells[0]), set(cells[3].replace("-", "").split())
    if len(rooms) < 5:
        sys.exit("check_rooms: ARCHITECTURE.md has no rooms table")
    return rooms


def files(folder):
    return sorted(path for path in (root / folder).rglob("*") if path.suffix in {".h", ".cpp"})


def includes(path):
    """Line number and text of every include in quotes; those in raw strings are of programs for nodes."""
    text = re.sub(r'R"(\w*)\(.*?\)\1"', lambda raw: "\n" * raw.group().count("\n"), path.read_text(), flags=re.DOTALL)
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r'#include "([^"]+)"', line):
            yield number, match.group(1)


def options():
    """All that the rows of tools/ declare: "--lr"."""
    rows = r'\.name = (?:std::string\()?"(--[\w-]+)"|_option = "(--[\w-]+)"'
    found = {name for path in files("tools") for pair in re.findall(rows, path.read_text()) for name in pair if name}
    if len(found) < 20:
        sys.exit("check_rooms: the rows of tools/ have too few options to be all")
    return found


def strings(path):
    """Line number and text of every string literal; none of a comment."""
    text = path.read_text()
    comment, raw, plain = r"//[^\n]*|/\*.*?\*/", r'R"(\w*)\((.*?)\)\1"', r'"((?:\\.|[^"\\\n])*)"'
    character = r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
    for token in re.finditer("|".join((comment, raw, plain, character)), text, flags=re.DOTALL):
        if literal := token.group(2) or token.group(3):
            yield text.count("\n", 0, token.start()) + 1, literal


def named_options():
    ours = options()
    for path in files("src"):
        if path.name.endswith("_test.cpp"):
            continue
        for number, text in strings(path):
            for flag in re.findall(r"(?<![\w-])--[a-z][\w-]*", text):
                if flag in ours:
                    yield f"{path}:{number}: the library names {flag}, an option of the command"


def offences():
    yield from named_options()
    rooms = table()
    for room, (level, seen) in rooms.items():
        if not (root / "src" / room).is_dir():
            yield f"ARCHITECTURE.md: room {room} has no folder under src/"
        for other in seen:
            if other not in rooms:
                yield f"ARCHITECTURE.md: room {room} sees {other}, which is none"
            elif rooms[other][0] >= level:
                yield f"ARCHITECTURE.md: room {room} (level {level}) sees {other} (level {rooms[other][0]})"
    for path in files("src"):
        room = path.relative_to(root / "src").parts[0]
        if room not in rooms:
            yield f"{path}: room '{room}' is not in ARCHITECTURE.md"
            continue
        for number, included in includes(path):
            seen = included.split("/")[0]
            if seen == "support" and "_test" in path.name:
                continue
            if "/" not in included or seen not in rooms[room][1] | {room}:
                yield f"{path}:{number}: room {room} may not see {included}"
    for folder in ("device", "tools", "tests", "bench"):
        for path in files(folder):
            for number, included in includes(path):
                if folder == "device" and included.split("/")[0] in rooms and included not in shared_with_nodes:
                    yield f"{path}:{number}: nodes may not see {included}"
                elif included.split("/")[0] in rooms and not (root / "src" / included).is_file():
                    yield f"{path}:{number}: there is no src/{included}"


found = list(offences())
print("\n".join(found), end="\n" if found else "")
sys.exit(1 if found else 0)
