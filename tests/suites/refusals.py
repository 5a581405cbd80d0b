"""Tests that ask for what a node does not have, and what that is; also what is wrong with a test.

The list is exact: a test on it that passes has failed, one that fails and is not on it has failed, and so has a line
that names no test.
"""
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from suite import Outcome


@dataclass(frozen=True)
class Refusal:
    suite: str
    pattern: str  # of names
    lacking: str


REFUSALS = [
    Refusal("riscv-tests", "rv64mi-breakpoint", "Sdtrig: debug triggers"),
    Refusal("riscv-tests", "rv64mi-pmpaddr", "PMP: physical memory protection"),
    Refusal("riscv-tests", "rv64si-*", "S: supervisor mode"),
    Refusal("riscv-tests", "rv64ssvnapot-*", "Svnapot: pages of virtual memory"),
    Refusal("riscv-tests", "rv64up-*", "P: packed SIMD, not ratified"),
    Refusal("riscv-tests", "rv64uzbkb-*", "Zbkb: bits for ciphers"),
    Refusal("riscv-tests", "rv64uzbkx-*", "Zbkx: tables for ciphers"),
    Refusal("riscv-tests", "rv64uziccid-*", "Ziccid: code that was written runs without fence.i; Spike has it neither"),
    Refusal("riscv-arch-test", "rv32i_m-Zvk-vclmul*", "Zvbc: carry-less products of vectors (it asks for Zvkb alone)"),
    Refusal("riscv-arch-test", "rv32i_m-Zvk-*.vx-01",
            "a right test: it overwrites x3, which points at its data, and Spike never ends"),
    Refusal("riscv-vector-tests", "zvbc-*", "Zvbc: carry-less products of vectors"),
    Refusal("riscv-vector-tests", "zvkg-*", "Zvkg: GCM"),
    Refusal("riscv-vector-tests", "zvkned-*", "Zvkned: AES"),
    Refusal("riscv-vector-tests", "zvknha-*", "Zvknha: SHA-256"),
    Refusal("riscv-vector-tests", "zvksed-*", "Zvksed: SM4"),
    Refusal("riscv-vector-tests", "zvksh-*", "Zvksh: SM3"),
]


def refusal_of(suite: str, test: str, refusals: Iterable[Refusal] = tuple(REFUSALS)) -> Refusal | None:
    return next((r for r in refusals if r.suite == suite and fnmatchcase(test, r.pattern)), None)


def judged(outcome: Outcome, refusal: Refusal | None) -> Outcome:
    if refusal is None:
        return outcome
    if outcome.kind == "passed":
        return Outcome("failed", f"passes, but is listed as refused: {refusal.lacking}")
    return Outcome("refused", refusal.lacking)


def without_test(suite: str, tests: Iterable[str], refusals: Iterable[Refusal] = tuple(REFUSALS)) -> list[Refusal]:
    names = list(tests)
    return [r for r in refusals if r.suite == suite and not any(fnmatchcase(name, r.pattern) for name in names)]
