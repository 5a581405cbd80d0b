#!/usr/bin/env python3
"""Runs other people's suites against the emulator and prints a table: run.py FOLDER --dojo PATH --spike PATH.

FOLDER holds their checkouts under their usual names (suites.py); one that is missing is said and left out.
Exit code 1 if a test failed, 2 if there is none to run.
"""
import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from os import cpu_count
from pathlib import Path

from suites import SUITES, Outcome, Test, Tools, objection_to_spike


def run_one(test: Test, tools: Tools) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="dojo-suites-") as folder:
        return test.run(Path(folder), tools)


def run_all(tests: list[tuple[str, Test]], tools: Tools) -> dict[tuple[str, str], Outcome]:
    outcomes, begin = {}, time.monotonic()
    with ThreadPoolExecutor(cpu_count()) as pool:
        pending = {pool.submit(run_one, test, tools): (suite, test.name) for suite, test in tests}
        try:
            for done in as_completed(pending):
                outcomes[pending[done]] = done.result()
                left = (time.monotonic() - begin) / len(outcomes) * (len(tests) - len(outcomes))
                print(f"\r{len(outcomes)} of {len(tests)}, {left:.0f} s left   ", end="", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            print("\ninterrupted; what is done:", file=sys.stderr)
    print(file=sys.stderr)
    return outcomes


def print_table(suites: list[str], outcomes: dict[tuple[str, str], Outcome]) -> None:
    print(f"{'suite':<20} {'tests':>6} {'passed':>7} {'failed':>7} {'refused':>8}")
    for suite in suites:
        kinds = Counter(o.kind for (s, _), o in outcomes.items() if s == suite)
        print(f"{suite:<20} {kinds.total():>6} {kinds['passed']:>7} {kinds['failed']:>7} {kinds['refused']:>8}")
    for kind in ("failed", "refused"):
        for (suite, name), outcome in sorted(outcomes.items()):
            if outcome.kind == kind:
                print(f"{kind}: {suite} {name}: {outcome.reason}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dojo", type=Path, required=True)
    parser.add_argument("--spike", type=Path, required=True)
    parser.add_argument("--only", help="tests whose name begins with this")
    options = parser.parse_args()
    tests, present = [], []
    for name, tests_of, known_by in SUITES:
        checkout = options.folder.resolve() / name
        if not (checkout / known_by).exists():
            print(f"{name}: no {known_by} in {checkout}; left out")
            continue
        present.append(name)
        tests += [(name, test) for test in tests_of(checkout) if test.name.startswith(options.only or "")]
    if not tests:
        print(f"{options.folder} holds nothing to run", file=sys.stderr)
        return 2
    tools = Tools(options.dojo.resolve(), options.spike.absolute())
    with tempfile.TemporaryDirectory(prefix="dojo-suites-") as folder:
        if objection := objection_to_spike(Path(folder), tools):
            print(objection, file=sys.stderr)
            return 2
    outcomes = run_all(tests, tools)
    print_table(present, outcomes)
    return 1 if any(o.kind == "failed" for o in outcomes.values()) or len(outcomes) < len(tests) else 0


if __name__ == "__main__":
    sys.exit(main())
