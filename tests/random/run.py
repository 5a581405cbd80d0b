#!/usr/bin/env python3
"""Random small networks, two steps of each trained on the emulated machine beside PyTorch: make random.

A network passes when losses and what has become of parameters and buffers are PyTorch's FP32 ones, as far as these are
its own in double precision. What is refused by name is counted. Of one that departs the seed and the smallest network that
still departs are printed. Exit code 1 if any does.
"""
import argparse
import collections
import copy
import dataclasses
import hashlib
import pathlib
import re
import sys
import time
import traceback
import warnings

import torch

import drawing
import opendojo
from opendojo.library import Program

STEPS = 2
BOUND = 2e-4  # of a loss, and of the largest change of a tensor
ROUNDED = 30  # times what PyTorch's FP32 is from its double precision is forgiven


@dataclasses.dataclass
class Outcome:
    """"passed", "refused" with the sentence, or "departed" with what does. "unsure": PyTorch's FP32 and its double precision
    are not the same."""

    kind: str
    words: str = ""


def of_pytorch(network, model, dtype):
    """Losses, and the state after the last step."""
    torch.set_default_dtype(dtype)
    model = copy.deepcopy(model).to(dtype)
    optimizer, loss_fn, losses = drawing.optimizer_of(network, model), drawing.loss_of(network), []
    for batch in range(STEPS):
        inputs, target = drawing.data(network, batch)
        as_dtype = lambda x: x.to(dtype) if x.is_floating_point() else x
        optimizer.zero_grad()
        loss = loss_fn(model(*map(as_dtype, inputs)), as_dtype(target))
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    torch.set_default_dtype(torch.float32)
    return losses, model.state_dict()


def of_the_machine(network, model, where):
    model = copy.deepcopy(model)
    step = opendojo.train_step(model, drawing.loss_of(network), drawing.optimizer_of(network, model), threads=1, **where)
    losses = []
    for batch in range(STEPS):
        inputs, target = drawing.data(network, batch)
        losses.append(step(*inputs, target))
    return losses, step.state_dict()["model"]


def judged(name, mine, single, double, scale):
    """What is to be said of a tensor; "" if nothing, None if PyTorch does not know it well enough."""
    mine, single, double = mine.double(), single.double(), double.double()
    if mine.shape != single.shape:
        return f"{name} has the shape {tuple(mine.shape)} where PyTorch has {tuple(single.shape)}"
    finite = single.isfinite() & double.isfinite()
    if not torch.equal(single.isfinite(), double.isfinite()):
        return None
    if not torch.equal(mine.isfinite(), single.isfinite()):
        return f"{name} is not finite where PyTorch's is, or the other way round"
    mine, single, double = mine[finite], single[finite], double[finite]
    if mine.numel() == 0:
        return ""
    unsure = (single - double).abs().max().item()
    if unsure > 0.02 * scale:
        return None
    error = (mine - single).abs().max().item()
    return f"{name} departs by {error:.3g} of {scale:.3g}, PyTorch from its own double precision by {unsure:.3g}" \
        if error > BOUND * scale + ROUNDED * unsure + 1e-6 * single.abs().max().item() + 1e-9 else ""


def outcome(network, where):
    model = drawing.Model(network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        single, after = of_pytorch(network, model, torch.float32)
        double, after_double = of_pytorch(network, model, torch.float64)
        try:
            mine, changed = of_the_machine(network, model, where)
        except opendojo.Refused as refused:
            return Outcome("refused", str(refused))
    said = []
    for k in range(STEPS):
        said.append(judged(f"loss {k}", mine[k], single[k], double[k], max(1.0, single[k].abs().item())))
    before = model.state_dict()
    for name, value in after.items():
        if not value.is_floating_point():
            continue
        scale = max((value - before[name]).abs().max().item(), 1e-4)
        said.append(judged(name, changed[name], value, after_double[name], scale))
    if None in said:
        return Outcome("unsure")
    wrong = [words for words in said if words]
    return Outcome("departed", wrong[0]) if wrong else Outcome("passed")


def attempted(network, where):
    """outcome(), of whatever happens."""
    try:
        return outcome(network, where)
    except Exception as error:  # noqa: BLE001: anything but a refusal is a finding
        return Outcome("departed", "".join(traceback.format_exception_only(error)).strip())


def smallest(network, where, seconds):
    """The smallest network that was found to depart still, within so many seconds."""
    end = time.monotonic() + seconds
    kind = attempted(network, where)
    again = True
    while again and time.monotonic() < end:
        again = False
        for candidate in drawing.smaller(network):
            try:
                if not candidate.heads or candidate.measure() >= network.measure():
                    continue
                drawing.Model(candidate)
            except Exception:  # noqa: BLE001: what PyTorch itself does not take
                continue
            found = attempted(candidate, where)
            if found.kind == "departed":
                network, kind, again = candidate, found, True
                break
    return network, kind


def keep_containers(folder):
    """Whatever is compiled from now on is also written there."""
    folder.mkdir(parents=True, exist_ok=True)
    begin = Program.__init__

    def kept(self, container, *rest, **where):
        (folder / f"{hashlib.sha256(container).hexdigest()[:16]}.container").write_bytes(container)
        begin(self, container, *rest, **where)

    Program.__init__ = kept


def brief(sentence):
    """A refusal without what is this network's own."""
    return re.sub(r"'[^']*'|\d+", "_", sentence)[:90]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--count", type=int, default=10**9, help="at most so many networks")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--machine", default="test6", help="or interpreter: the graph's own meaning")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--print", action="store_true", help="the networks, too")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the containers, from which fuzzers begin")
    arguments = parser.parse_args()
    if arguments.keep:
        keep_containers(arguments.keep)
    torch.set_num_threads(1)
    where = {"machine": arguments.machine} | ({"nodes": arguments.nodes} if arguments.machine != "interpreter" else {})
    counts, refusals, end, departed = collections.Counter(), collections.Counter(), time.monotonic() + arguments.seconds, []
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        if time.monotonic() > end:
            break
        network = drawing.network_of(seed)
        if arguments.print:
            print(network, flush=True)
        began = time.monotonic()
        found = attempted(network, where)
        counts[found.kind] += 1
        if arguments.print:
            print(f"seed {seed}: {found.kind} {found.words} ({time.monotonic() - began:.1f} s)\n", flush=True)
        if found.kind == "refused":
            refusals[brief(found.words)] += 1
        if found.kind == "departed":
            departed.append(seed)
            print(f"== seed {seed} departs: {found.words}", flush=True)
            network, found = smallest(network, where, seconds=60)
            print(f"-- smallest: {found.words}\n{network}\n", flush=True)
    print(f"{sum(counts.values())} networks from seed {arguments.seed} on {arguments.machine}: " +
          ", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    for words, count in refusals.most_common():
        print(f"  {count} x {words}")
    return 1 if departed else 0


if __name__ == "__main__":
    sys.exit(main())
