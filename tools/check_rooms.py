#!/usr/bin/env python3
"""Holds every #include of the project to the rooms table of ARCHITECTURE.md. Prints each offence; exit code 1 if any.

src/ROOM includes itself and the rooms that its row names, all of them on lower levels, and nothing outside of src/
but, in tests, tests/support;
device/ includes itself and the few headers that nodes share with this computer; tools/, tests/ and bench/ may include
every room, but only files that are there.
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


def offences():
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
