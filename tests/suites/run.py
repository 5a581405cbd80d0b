#!/usr/bin/env python3
"""Runs other people's suites against the emulator and prints a table: run.py FOLDER --dojo PATH --spike PATH.

FOLDER holds their checkouts under their usual names (suites.py); one that is missing is said and left out.
A run that was interrupted or killed goes on where it was. Exit code 1 if a test failed or did not run, 2 if there is
none to run or Spike cannot be asked.
"""
import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from outcomes import InUse, Outcomes, digest_of_checkout, digest_of_suite, digest_of_tools
from refusals import REFUSALS, Refusal, judged, refusal_of, without_test
from spike import objection_to_spike
from suite import Outcome, Suite, Test, Tools, Unprepared
from suites import SUITES

Found = tuple[Suite, Path]  # and where its checkout lies


def found_in(folder: Path, suites: list[Suite], say: Callable[[str], None]) -> list[Found]:
    found = []
    for suite in suites:
        checkout = folder / suite.name
        missing = next((file for file in suite.known_by if not (checkout / file).exists()), None)
        if missing is None:
            found.append((suite, checkout))
        else:
            say(f"{suite.name}: no {missing} in {checkout}; left out")
    return found


def run_one(test: Test, tools: Tools) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="dojo-suites-") as folder:
        return test.run(Path(folder), tools)


def run_all(tests: list[tuple[str, Test]], tools: Tools, outcomes: Outcomes) -> None:
    """After Ctrl-C only what is under way ends; a second one does not wait for it."""
    begin = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pending = {pool.submit(run_one, test, tools): (suite, test.name) for suite, test in tests}
        try:
            for ended, done in enumerate(as_completed(pending), 1):
                outcomes.keep(*pending[done], done.result())
                left = (time.monotonic() - begin) / ended * (len(tests) - ended)
                print(f"\r{ended} of {len(tests)}, {left:.0f} s left   ", end="", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            print("\ninterrupted; the next run goes on here", file=sys.stderr, flush=True)
            pool.shutdown(cancel_futures=True)
    for done, at in pending.items():
        if not done.cancelled() and at not in outcomes.known:
            outcomes.keep(*at, done.result())
    print(file=sys.stderr)


def table(suites: list[str], known: dict[tuple[str, str], Outcome]) -> str:
    lines = [f"{'suite':<24} {'tests':>6} {'passed':>7} {'failed':>7} {'refused':>8}"]
    for suite in suites:
        kinds = Counter(o.kind for (s, _), o in known.items() if s == suite)
        lines.append(f"{suite:<24} {kinds.total():>6} {kinds['passed']:>7} {kinds['failed']:>7} {kinds['refused']:>8}")
    lines += [f"failed: {suite} {name}: {outcome.reason}"
              for (suite, name), outcome in sorted(known.items()) if outcome.kind == "failed"]
    refused = Counter((suite, outcome.reason) for (suite, _), outcome in known.items() if outcome.kind == "refused")
    for (suite, reason), count in sorted(refused.items()):
        names = sorted(name for (s, name), o in known.items() if (s, o.reason, o.kind) == (suite, reason, "refused"))
        named = " ".join(names[:4]) + (f" and {count - 4} more" if count > 4 else "")
        lines.append(f"refused: {suite} {named}: {reason}")
    return "\n".join(lines)


def prepare(found: list[Found], needed: set[str], workshop: Path, tools: Tools) -> dict[str, str]:
    """Builds what the suites' tests need. Those for which that is not possible, and why."""
    objections = {}
    for suite, checkout in found:
        if suite.name in needed:
            (workshop / suite.name).mkdir()
            try:
                suite.prepare(checkout, workshop / suite.name, tools)
            except Unprepared as why:
                objections[suite.name] = str(why)
    return objections


def wanted(of_suite: dict[str, list[Test]]) -> list[tuple[str, str]]:
    return [(name, test.name) for name in of_suite for test in of_suite[name]]


def run_what_is_unknown(found: list[Found], of_suite: dict[str, list[Test]], tools: Tools, outcomes: Outcomes,
                       workshop: Path) -> list[str]:
    """Complaints about suites that cannot be prepared."""
    tests = [(name, test) for name in of_suite for test in of_suite[name] if (name, test.name) not in outcomes.known]
    total = len(wanted(of_suite))
    if len(tests) < total:
        print(f"{total - len(tests)} of {total} are known from an earlier run", file=sys.stderr)
    objections = prepare(found, {name for name, _ in tests}, workshop, tools)
    run_all([(name, test) for name, test in tests if name not in objections], tools, outcomes)
    return [f"{name}: cannot be prepared: {why}" for name, why in objections.items()]


def run(options: argparse.Namespace, suites: list[Suite], refusals: list[Refusal], workshop: Path) -> int:
    found = found_in(options.folder.resolve(), suites, print)
    # A copy: whoever builds anew meanwhile changes nothing here.
    tools = Tools(Path(shutil.copy2(options.dojo, workshop / "dojo")), options.spike.absolute())
    of_suite = {suite.name: [t for t in suite.tests(checkout, workshop / suite.name)
                             if t.name.startswith(options.only or "")] for suite, checkout in found}
    if not any(of_suite.values()):
        print(f"{options.folder} holds nothing to run", file=sys.stderr)
        return 2
    (workshop / "probe").mkdir()
    if objection := objection_to_spike(workshop / "probe", tools):
        print(objection, file=sys.stderr)
        return 2
    common = digest_of_tools(tools)
    keys = {suite.name: common + digest_of_suite(suite) + digest_of_checkout(checkout) for suite, checkout in found}
    try:
        outcomes = Outcomes(options.outcomes, keys, lambda *at: refusal_of(*at, refusals) is not None)
    except InUse as why:
        print(why, file=sys.stderr)
        return 2
    with contextlib.closing(outcomes):
        complaints = run_what_is_unknown(found, of_suite, tools, outcomes, workshop)
    if not options.only:
        complaints += [f"{name}: no test is called {r.pattern}, but it is listed as refused"
                       for name, of in of_suite.items() for r in without_test(name, [t.name for t in of], refusals)]
    known = {at: judged(outcomes.known[at], refusal_of(*at, refusals))
             for at in wanted(of_suite) if at in outcomes.known}
    print(table(list(of_suite), known), *(f"failed: {complaint}" for complaint in complaints), sep="\n")
    whole = len(known) == len(wanted(of_suite))
    return 1 if complaints or not whole or any(o.kind == "failed" for o in known.values()) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dojo", type=Path, required=True)
    parser.add_argument("--spike", type=Path, required=True)
    parser.add_argument("--outcomes", type=Path, required=True, help="file of what earlier runs found")
    parser.add_argument("--only", help="tests whose name begins with this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dojo-suites-") as workshop:
        return run(options, SUITES, REFUSALS, Path(workshop))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        os._exit(130)  # without waiting for the tests that are under way
