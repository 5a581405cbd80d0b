#!/usr/bin/env python3
"""Holds every #include under src/ to the rooms table of ARCHITECTURE.md. Prints each offence; exit code 1 if any."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
rooms = {}
for line in (root / "ARCHITECTURE.md").read_text().splitlines():
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if len(cells) == 4 and cells[0].isdigit():
        rooms[cells[1]] = set(cells[3].replace("-", "").split()) | {cells[1]}
if len(rooms) < 5:
    sys.exit("check_rooms: ARCHITECTURE.md has no rooms table")

offences = 0
for path in sorted((root / "src").rglob("*")):
    if path.suffix not in {".h", ".cpp"}:
        continue
    room = path.relative_to(root / "src").parts[0]
    if room not in rooms:
        print(f"{path}: room '{room}' is not in ARCHITECTURE.md")
        offences += 1
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        include = re.match(r'#include "([a-z]+)/', line)
        if include and include.group(1) not in rooms[room]:
            print(f"{path}:{number}: room {room} may not see {include.group(1)}")
            offences += 1
sys.exit(1 if offences else 0)
