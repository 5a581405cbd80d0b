"""What a node's instruction set is called by those who compile, assemble and compare. Read from docs/isa.md, which
is made from src/isa/extensions.cpp and held to it by a test, so that no script spells a list of its own.
"""
import re
from pathlib import Path

page = (Path(__file__).resolve().parent.parent / "docs" / "isa.md").read_text()


def extensions() -> list[str]:
    """All of them, as clang spells them."""
    section = page.split("\n## Extensions\n", 1)[1].split("\n## ", 1)[0]
    return [name for name in re.findall(r"^\| \S+ \| (\S+) \|", section, re.M) if name != "for"]


def march() -> str:
    """What networks and kernels are compiled for."""
    return re.search(r"`-march=([^`]+)`", page)[1]


def qemu_processor() -> str:
    """What qemu-riscv64 7.2 has of it."""
    return re.search(r"`-cpu ([^`]+)`", page)[1]


def spike() -> str:
    """What Spike has of it."""
    return re.search(r"`--isa=([^`]+)`", page)[1]
