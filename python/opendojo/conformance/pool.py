"""Work shared out to processes: one thing at a time each, with a limit of time. A process may die of one."""

import argparse
import collections
import gc
import multiprocessing
import multiprocessing.connection
import time
import typing
import warnings

import torch

_GARBAGE = 100_000  # objects made between searches for it; at Python's 700 those are a fifth of the time of tracing

_CONTEXT = multiprocessing.get_context("fork")  # what has been imported, and read, is read once


class Ended(typing.NamedTuple):
    """What has come of a thing whose process has ended, or has been ended."""

    why: str


def part(text):
    """An option's value as (number, count): "3/10" is every tenth thing, from the third."""
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"'{text}' is no part such as 3/10")
    return int(number), int(count)


class _Worker:

    def __init__(self, work):
        self.connection, other = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(other, work), daemon=True)
        self._process.start()
        other.close()
        self.thing = None

    def begin(self, thing):
        self.thing, self.since = thing, time.monotonic()
        self.connection.send(thing)

    def end(self):
        self._process.kill()
        self._process.join()

    def death(self):
        self._process.join()
        return Ended(f"the process ended with code {self._process.exitcode}")


def _serve(connection, work):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    gc.set_threshold(_GARBAGE)
    while True:
        connection.send(work(connection.recv()))


def judged(work, things, jobs, seconds, renewed=False):
    """(thing, work(thing), seconds that it took) of each of `things`, as they come from `jobs` processes; in place of the
    second an Ended where a process died, or took longer than `seconds`. `renewed`: each thing has a process of its own."""
    todo = collections.deque(things)
    workers = [_Worker(work) for _ in range(min(jobs, len(todo)))]
    try:
        for worker in workers:
            worker.begin(todo.popleft())
        while any(worker.thing is not None for worker in workers):
            busy = [worker for worker in workers if worker.thing is not None]
            ready = multiprocessing.connection.wait([worker.connection for worker in busy], timeout=1)
            for place, worker in enumerate(workers):
                if worker.thing is None:
                    continue
                thing, passed, result, is_used_up = worker.thing, time.monotonic() - worker.since, None, renewed
                if worker.connection in ready:
                    try:
                        result = worker.connection.recv()
                    except EOFError:
                        result, is_used_up = worker.death(), True
                elif passed > seconds:
                    result, is_used_up = Ended(f"took longer than {seconds:.0f} s"), True
                if result is None:
                    continue
                if is_used_up:
                    worker.end()
                    worker = workers[place] = _Worker(work)
                worker.thing = None
                if todo:
                    worker.begin(todo.popleft())
                yield thing, result, passed
    finally:
        for worker in workers:
            worker.end()
