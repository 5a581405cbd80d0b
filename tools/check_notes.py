#!/usr/bin/env python3
"""Holds docs/notes to lines of at most 110 columns and one sentence a line, so that a change shows what it changes.
Tables, code and words that are longer by themselves (links) are let be. Prints each offence; exit code 1 if any."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
columns = 110


def prose(text):
    """Line number and text of every line that is neither table nor code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        if not (fence or fenced or line.startswith(("|", "    "))):
            yield number, line


def offences(text):
    for number, line in prose(text):
        if len(line) > columns and " " in line.strip():
            yield number, f"{len(line)} columns; at most {columns}"
        words = re.sub(r"`[^`]*`", "code", line)
        if re.search(r"[A-Za-z0-9)`*\]][.!?][)*]* (?=[A-Z*(\[`]|code)", re.sub(r"^\d+\. ", "", words.lstrip())):
            yield number, "two sentences; each begins a line"


def main():
    found = [f"{note.relative_to(root)}:{number}: {what}" for note in sorted((root / "docs/notes").glob("*.md"))
             for number, what in offences(note.read_text())]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
