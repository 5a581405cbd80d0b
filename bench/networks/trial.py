"""One row tried: the network's whole training step on the emulated machine beside PyTorch's own, from the same weights, on
the same batch, with the same optimizer, in FP32.

A row is trained when every loss was compared, all are PyTorch's within BOUND, and the last is below the first.
"""

import copy
import math
import resource
import typing

import torch

import opendojo
from opendojo.library import Refused
from packages import is_there
from row import optimizer_of

BOUND = 1e-3  # relative, of each loss

TRAINED, COMPILED, LOWERED, REFUSED, WRONG, ERROR, SKIPPED = OUTCOMES = (
    "trained", "compiled", "lowered", "refused", "wrong", "error", "skipped")

_MEMORY = 8 << 30  # bytes of addresses that a row may take beyond those of the process it begins in


class Verdict(typing.NamedTuple):
    outcome: str
    why: str = ""  # of what has not been trained, in the words of the refusal
    op: str = ""  # the operator that is refused
    place: str = ""  # module and line of it
    parameters: int = 0
    steps: int = 0  # whose losses were compared
    first: float = 0.0  # loss
    last: float = 0.0
    apart: float = 0.0  # the largest difference of a loss, relative
    cycles: int = 0  # of the last step


def _limit_memory():
    with open("/proc/self/statm") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + _MEMORY, resource.RLIM_INFINITY))


def _without_random_numbers(model):
    """The same one: the machine's random numbers are other ones than PyTorch's."""
    for module in model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.p = 0.0
        if hasattr(module, "drop_prob"):
            module.drop_prob = 0.0
    return model


class _Beside:
    """PyTorch's own training of a copy, in FP32 or in double precision."""

    def __init__(self, row, model, given, kind=torch.float32):
        self._row, self._model = row, copy.deepcopy(model).to(kind)
        self._given = [value.to(kind) if value.is_floating_point() else value for value in given]
        self._optimizer = optimizer_of(row, self._model)

    def step(self):
        self._optimizer.zero_grad()
        loss = self._row.loss(self._model(*self._given[:-1]), self._given[-1])
        loss.backward()
        self._optimizer.step()
        return loss.item()


def _departed(row, model, given, step, mine, theirs):
    """What is said of a loss that is not PyTorch's: PyTorch's own distance from itself tells a network that amplifies the
    last places of its numbers from a result that is wrong."""
    said = f"the loss of step {step} is {mine:.6g}, PyTorch's {theirs:.6g}"
    try:
        twin = _Beside(row, model, given, torch.float64)
        exact = [twin.step() for _ in range(step)][-1]
    except Exception:  # a network that takes FP32 alone
        return said
    return f"{said}, and in double precision {exact:.6g}"


def _is_lowered(row, model, given):
    """Whether the graph is one of the machine's operations, where it does not compile for the machine."""
    try:
        opendojo.train_step(model, row.loss, optimizer_of(row, model), machine="interpreter", threads=1).prepare(*given)
    except Refused:
        return False
    return True


def _sentence(error):
    return " ".join(str(error).split())


def _refusal(outcome, refused, parameters, **more):
    place = ", ".join(part for part in (refused.module, refused.line) if part)
    return Verdict(outcome, _sentence(refused), refused.op, place, parameters, **more)


def _trained(row, steps, machine):
    torch.manual_seed(0)
    model = _without_random_numbers(row.make()).train()
    given = row.data()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    try:
        beside = _Beside(row, model, given)
        step = opendojo.train_step(model, row.loss, optimizer_of(row, model), machine=machine, threads=1)
        step.prepare(*given)
    except Refused as refused:
        return _refusal(LOWERED if _is_lowered(row, model, given) else REFUSED, refused, parameters)
    losses, apart = [], 0.0
    for k in range(steps):
        try:
            mine = step(*given).item()
        except Refused as refused:
            return _refusal(COMPILED, refused, parameters, steps=k)
        theirs = beside.step()
        if not (math.isfinite(theirs) and theirs):
            return Verdict(ERROR, f"PyTorch's own loss of step {k + 1} is {theirs}", parameters=parameters, steps=k)
        losses.append(mine)
        apart = max(apart, abs(mine - theirs) / abs(theirs)) if math.isfinite(mine) else math.inf
        if apart > BOUND:
            why = _departed(row, model, given, k + 1, mine, theirs)
            return Verdict(WRONG, why, parameters=parameters, steps=k + 1, first=losses[0], last=mine, apart=apart)
    came = dict(parameters=parameters, steps=steps, first=losses[0], last=losses[-1], apart=apart, cycles=step.report().cycles)
    if not losses[-1] < losses[0]:
        return Verdict(ERROR, "the losses agree, and have not fallen", **came)
    return Verdict(TRAINED, **came)


def tried(row, steps, machine):
    if not is_there(row.package):
        return Verdict(SKIPPED, f"needs the package {row.package}")
    _limit_memory()
    try:
        return _trained(row, steps, machine)
    except MemoryError:
        return Verdict(ERROR, f"took more than {_MEMORY >> 30} GiB of memory")
    except Exception as error:  # of PyTorch, of the row or of this package: what it is the record says
        return Verdict(ERROR, f"{type(error).__name__}: {_sentence(error)}"[:400])
