"""The command: nodes shared out to processes, results as they come, and how long it will take."""

import argparse
import collections
import json
import multiprocessing
import multiprocessing.connection
import os
import sys
import time
import warnings

import torch

try:
    from opendojo.conformance.entries import all_nodes
except ModuleNotFoundError as missing:
    raise SystemExit(f"PyTorch's list of operators needs the package '{missing.name}': pip install {missing.name}")
from opendojo.conformance.judge import ERROR, OUTCOMES, PASSED, WRONG, Verdict, judge
from opendojo.conformance.record import Record, counted, page

_CONTEXT = multiprocessing.get_context("fork")  # PyTorch's list takes many seconds to read, and is read once


def _part(text):
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"'{text}' is no part such as 3/10")
    return int(number), int(count)


def _options():
    parser = argparse.ArgumentParser(prog="python -m opendojo.conformance",
                                     description="Every entry of PyTorch's op_db on the emulated machine, beside PyTorch.")
    parser.add_argument("names", nargs="*", help="entries to try, such as nn.functional.conv2d; all of them without")
    parser.add_argument("--kind", action="append", help="float32, bfloat16, gradient or errors; may be repeated")
    parser.add_argument("--part", type=_part, default=(1, 1), metavar="K/N", help="every Nth node, from the Kth")
    parser.add_argument("--results", default="op_db.jsonl", help="where results are kept; an interrupted run goes on from there")
    parser.add_argument("--again", action="append", default=[], choices=OUTCOMES, help="what is tried once more of them; may be repeated")
    parser.add_argument("--interpret", action="store_true", help="a quick look: by the interpreter, not on the machine")
    parser.add_argument("--machine", default="test6", help="machine or machine file (test6)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--seconds", type=float, default=900, help="that a node may take")
    parser.add_argument("--table", metavar="FILE.json", help="writes what came of every node")
    parser.add_argument("--page", metavar="FILE.md", help="writes the same for people")
    return parser.parse_args()


class _Worker:
    """A process that judges one node at a time. It may die of one, and is then replaced."""

    def __init__(self, nodes, machine):
        self.connection, other = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_work, args=(other, nodes, machine), daemon=True)
        self._process.start()
        other.close()
        self.index = None

    def begin(self, index):
        self.index, self.since = index, time.monotonic()
        self.connection.send(index)

    def end(self):
        self._process.kill()
        self._process.join()

    def death(self):
        self._process.join()
        return f"the process ended with code {self._process.exitcode}"


def _work(connection, nodes, machine):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    while True:
        connection.send(judge(nodes[connection.recv()], machine))


def _judged(nodes, todo, options, machine):
    """(index, verdict, seconds) of every node, as they come."""
    todo = collections.deque(todo)
    workers = [_Worker(nodes, machine) for _ in range(min(options.jobs, len(todo)))]
    try:
        for worker in workers:
            worker.begin(todo.popleft())
        while any(worker.index is not None for worker in workers):
            busy = [worker for worker in workers if worker.index is not None]
            ready = multiprocessing.connection.wait([worker.connection for worker in busy], timeout=1)
            for place, worker in enumerate(workers):
                if worker.index is None:
                    continue
                index, seconds, verdict = worker.index, time.monotonic() - worker.since, None
                if worker.connection in ready:
                    try:
                        verdict = worker.connection.recv()
                    except EOFError:
                        verdict = Verdict(ERROR, worker.death())
                        worker = workers[place] = _Worker(nodes, machine)
                elif seconds > options.seconds:
                    worker.end()
                    verdict = Verdict(ERROR, f"took longer than {options.seconds:.0f} s")
                    worker = workers[place] = _Worker(nodes, machine)
                if verdict is None:
                    continue
                worker.index = None
                if todo:
                    worker.begin(todo.popleft())
                yield index, verdict, seconds
    finally:
        for worker in workers:
            worker.end()


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
    began = said = time.monotonic()
    for done, (index, verdict, seconds) in enumerate(_judged(nodes, todo, options, machine), 1):
        record.add(nodes[index].name, {**verdict._asdict(), "seconds": round(seconds, 2)})
        if time.monotonic() - said > 10 or done == len(todo) or verdict.outcome in (WRONG, ERROR):
            said = time.monotonic()
            _say(record, done, len(todo), began, f"{nodes[index].name} {verdict.outcome} {verdict.why[:150] if verdict.outcome in (WRONG, ERROR) else ''}")
    results = {nodes[k].name: record.results[nodes[k].name] for k in chosen}
    if options.table:
        with open(options.table, "w") as file:
            json.dump({**about, "nodes": list(results.values())}, file, indent=1)
    if options.page:
        with open(options.page, "w") as file:
            file.write(page(about, results))
    counts = counted(results)
    for (kind, outcome), count in sorted(counts.items()):
        print(f"{kind:9} {outcome:8} {count}")
    return 1 if any(counts[kind, outcome] for kind, outcome in counts if outcome in (WRONG, ERROR)) else 0


if __name__ == "__main__":
    sys.exit(main())
