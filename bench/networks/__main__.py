"""Architectures on the emulated machine beside PyTorch, network by network:

    python bench/networks [NAMES] [--steps 20] [--machine test6] [--results FILE.jsonl] [--page FILE.md] [--part K/N]

A process a row: one that dies, hangs or takes too much memory is a row of the table. Exit code 1 if a row departs from
PyTorch or ends in an error.
"""

import argparse
import collections
import datetime
import sys
import time
import warnings

import torch

from catalogue import all_rows
from opendojo.conformance.pool import Ended, judged, part
from opendojo.conformance.record import Record
from packages import is_there, version
from report import page
from trial import ERROR, OUTCOMES, WRONG, Verdict, tried


def _options():
    parser = argparse.ArgumentParser(prog="python bench/networks", description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", help="rows to try, such as resnet18; all of them without")
    parser.add_argument("--family", action="append", help="rows of this family alone; may be repeated")
    parser.add_argument("--steps", type=int, default=20, help="of training (20)")
    parser.add_argument("--machine", default="test6", help="machine or machine file (test6); interpreter: none")
    parser.add_argument("--part", type=part, default=(1, 1), metavar="K/N", help="every Nth row, from the Kth")
    parser.add_argument("--results", default="networks.jsonl", help="where results are kept; an interrupted run goes on from there")
    parser.add_argument("--again", action="append", default=[], choices=OUTCOMES, help="what is tried once more of them; may be repeated")
    parser.add_argument("--jobs", type=int, default=1, help="rows at a time")
    parser.add_argument("--seconds", type=float, default=900, help="that a row may take")
    parser.add_argument("--page", metavar="FILE.md", help="writes what came of every row for people")
    parser.add_argument("--only-page", action="store_true", help="tries nothing: the page is of what the results hold")
    parser.add_argument("--list", action="store_true", help="only says which rows there are")
    options = parser.parse_args()
    if options.steps < 2:
        parser.error("--steps: fewer than two steps show nothing of training")
    if options.only_page and not options.page:
        parser.error("--only-page: wants --page")
    return options


def _chosen(rows, options):
    unknown = set(options.names) - {row.name for row in rows}
    if unknown:
        raise SystemExit(f"the catalogue has no row {', '.join(sorted(unknown))}; --list says which it has")
    number, count = options.part
    chosen = [row for k, row in enumerate(rows) if k % count == number - 1]
    return [row for row in chosen if (not options.names or row.name in options.names) and
            (not options.family or row.family in options.family)]


def _in_turn(rows):
    """One of each family, then the next of each: a run that is interrupted has seen something of all."""
    seen = collections.Counter()
    turns = []
    for row in rows:
        turns.append((seen[row.family], len(turns), row))
        seen[row.family] += 1
    return [row for _, _, row in sorted(turns, key=lambda turn: turn[:2])]


def _say(record, done, count, began, name, verdict):
    outcomes = collections.Counter(one["outcome"] for one in record.results.values())
    left = (time.monotonic() - began) / done * (count - done)
    said = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in OUTCOMES if outcomes[outcome])
    print(f"[{done}/{count}] {left / 60:.0f} min left; {said}; {name} {verdict.outcome} {verdict.why[:200]}", file=sys.stderr, flush=True)


def main():
    options = _options()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rows = all_rows()
    chosen = _chosen(rows, options)
    if options.list:
        print("\n".join(f"{row.family:24} {row.name:28} {row.source}; cut: {row.cut}" for row in chosen))
        return 0
    about = {"torch": torch.__version__.split("+")[0], "machine": options.machine, "steps": options.steps}
    try:
        record = Record(options.results, about)
    except ValueError as error:
        raise SystemExit(str(error))
    by_name = {row.name: row for row in chosen}
    todo = [row.name for row in _in_turn(chosen) if record.results.get(row.name, {"outcome": None})["outcome"] in (None, *options.again)]
    if options.only_page:
        todo = []
    began = time.monotonic()
    came = judged(lambda name: tried(by_name[name], options.steps, options.machine), todo, options.jobs, options.seconds, renewed=True)
    for done, (name, verdict, seconds) in enumerate(came, 1):
        if isinstance(verdict, Ended):
            verdict = Verdict(ERROR, verdict.why)
        record.add(name, {**verdict._asdict(), "seconds": round(seconds, 1)})
        _say(record, done, len(todo), began, name, verdict)
    results = {name: record.results[name] for name in by_name if name in record.results}
    if options.page:
        with open(options.page, "w") as file:
            packages = [f"{name} {version(name)}" for name in sorted({row.package for row in chosen}) if is_there(name)]
            file.write(page({**about, "date": datetime.date.today().isoformat(), "packages": ", ".join(packages)}, [(by_name[name], one) for name, one in results.items()],
                            len(chosen) - len(results)))
    counts = collections.Counter(one["outcome"] for one in results.values())
    for outcome in OUTCOMES:
        print(f"{outcome:9} {counts[outcome]}")
    return 1 if counts[WRONG] or counts[ERROR] else 0


if __name__ == "__main__":
    sys.exit(main())
