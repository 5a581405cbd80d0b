"""The command: nodes shared out to processes, results as they come, and how long it will take."""

import argparse
import collections
import datetime
import json
import os
import pathlib
import sys
import time
import warnings

import torch

try:
    from opendojo.conformance.entries import all_nodes
except ModuleNotFoundError as missing:
    raise SystemExit(f"PyTorch's list of operators needs the package '{missing.name}': pip install {missing.name}")
from opendojo.conformance.judge import ERROR, OUTCOMES, WRONG, Verdict, judge
from opendojo.conformance.page import counted, page
from opendojo.conformance.pool import Ended, judged, part
from opendojo.conformance.record import Record, departures, outcomes_text


def _options():
    parser = argparse.ArgumentParser(prog="python -m opendojo.conformance",
                                     description="Every entry of PyTorch's op_db on the emulated machine, beside PyTorch.")
    parser.add_argument("names", nargs="*", help="entries to try, such as nn.functional.conv2d; all of them without")
    parser.add_argument("--kind", action="append", help="float32, bfloat16, gradient or errors; may be repeated")
    parser.add_argument("--part", type=part, default=(1, 1), metavar="K/N", help="every Nth node, from the Kth")
    parser.add_argument("--results", default="op_db.jsonl", help="where results are kept; an interrupted run goes on from there")
    parser.add_argument("--again", action="append", default=[], choices=OUTCOMES, help="what is tried once more of them; may be repeated")
    parser.add_argument("--interpret", action="store_true", help="a quick look: by the interpreter, not on the machine")
    parser.add_argument("--machine", default="test6", help="machine or machine file (test6)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--seconds", type=float, default=900, help="that a node may take")
    parser.add_argument("--table", metavar="FILE.json", help="writes what came of every node")
    parser.add_argument("--page", metavar="FILE.md", help="writes the same for people")
    parser.add_argument("--outcomes", metavar="FILE", help="writes every node's outcome, for --expect")
    parser.add_argument("--expect", metavar="FILE", help="ends with 1 if a node that passed in such a file does not")
    parser.add_argument("--tried", action="store_true", help="tries nothing more, and writes what there is")
    return parser.parse_args()


def _chosen(nodes, options):
    number, count = options.part
    names = set(options.names)
    unknown = names - {node.entry.full_name for node in nodes}
    if unknown:
        raise SystemExit(f"op_db has no entry {', '.join(sorted(unknown))}")
    for k, node in enumerate(nodes):
        if k % count == number - 1 and (not names or node.entry.full_name in names):
            if not options.kind or node.kind in options.kind:
                yield k


def _say(record, done, count, began, name):
    outcomes = collections.Counter(one["outcome"] for one in record.results.values())
    left = (time.monotonic() - began) / done * (count - done)
    said = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in OUTCOMES)
    print(f"[{done}/{count}] {left / 60:.0f} min left; {said}; {name}", file=sys.stderr, flush=True)


def _try(nodes, todo, options, machine, record):
    began = said = time.monotonic()
    came = judged(lambda index: judge(nodes[index], machine), todo, options.jobs, options.seconds)
    for done, (index, verdict, seconds) in enumerate(came, 1):
        if isinstance(verdict, Ended):
            verdict = Verdict(ERROR, verdict.why)
        record.add(nodes[index].name, {**verdict._asdict(), "seconds": round(seconds, 2)})
        if time.monotonic() - said > 10 or done == len(todo) or verdict.outcome in (WRONG, ERROR):
            said = time.monotonic()
            _say(record, done, len(todo), began, f"{nodes[index].name} {verdict.outcome} {verdict.why[:150] if verdict.outcome in (WRONG, ERROR) else ''}")


def _write(options, about, results, names):
    if options.table:
        with open(options.table, "w") as file:
            json.dump({**about, "nodes": list(results.values())}, file, indent=1)
    if options.page:
        today = {**about, "date": datetime.date.today().isoformat()}
        pathlib.Path(options.page).write_text(page(today, results, names))
    if options.outcomes:
        pathlib.Path(options.outcomes).write_text(outcomes_text(results))


def _has_become_worse(options, results):
    if not options.expect:
        return False
    worse, better = departures(pathlib.Path(options.expect).read_text(), results)
    for sentence in worse + better:
        print(sentence)
    return bool(worse)


def main():
    options = _options()
    machine = "interpreter" if options.interpret else options.machine
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    nodes = all_nodes()
    about = {"torch": torch.__version__.split("+")[0], "machine": machine}
    try:
        record = Record(options.results, about)
    except ValueError as error:
        raise SystemExit(str(error))
    chosen = list(_chosen(nodes, options))
    todo = [k for k in chosen if record.results.get(nodes[k].name, {"outcome": None})["outcome"] in (None, *options.again)]
    _try(nodes, [] if options.tried else todo, options, machine, record)
    results = {nodes[k].name: record.results[nodes[k].name] for k in chosen if nodes[k].name in record.results}
    _write(options, about, results, [nodes[k].name for k in chosen])
    counts = counted(results)
    for (kind, outcome), count in sorted(counts.items()):
        print(f"{kind:9} {outcome:8} {count}")
    is_bad = any(counts[kind, outcome] for kind, outcome in counts if outcome in (WRONG, ERROR))
    return 1 if is_bad or _has_become_worse(options, results) else 0


if __name__ == "__main__":
    sys.exit(main())
