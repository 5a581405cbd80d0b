"""One node of PyTorch's list on the machine: its samples as graphs, as many of them in a program as fit, and what comes
of them beside what PyTorch gives.

Oracles: PyTorch on this computer's CPU, the same call with the same type. Where that does not agree, PyTorch in double
precision, rounded to the type once; which of the two agreed is recorded.
"""

import copy
import typing

import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode
from torch.utils import _pytree

from opendojo.conformance.entries import ERRORS, GRADIENT
from opendojo.container import Container
from opendojo.graph import Writer, array_of
from opendojo.known import is_empty
from opendojo.library import Program, Refused
from opendojo.trace import trace

PASSED, REFUSED, WRONG, ERROR = OUTCOMES = ("passed", "refused", "wrong", "error")

_MOST_SAMPLES = 64  # of a program

_BY_VALUES = "what it gives has a shape, or takes a course, that depends on values (unsupported)"
_DEPENDS_ON_VALUES = (DataDependentOutputException, DynamicOutputShapeException, GuardOnDataDependentSymNode)


class Verdict(typing.NamedTuple):
    outcome: str
    why: str = ""  # of what has not passed
    op: str = ""  # the operator that is refused
    samples: int = 0  # that the node has; of a node that has not passed, that were looked at
    by_double: int = 0  # samples that agree with PyTorch's double precision alone
    programs: int = 0
    cycles: int = 0


class _Wrong(Exception):
    """A result that is not PyTorch's."""


class _Call:
    """A sample as a function from tensors to a flat list of results."""

    def __init__(self, node, sample):
        self._node, self._sample = node, sample
        self._leaves, self._form = _pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
        self._places = [k for k, leaf in enumerate(self._leaves) if isinstance(leaf, torch.Tensor)]
        self._wanted = [self._leaves[k].requires_grad for k in self._places]
        for k in self._places:
            if self._leaves[k].layout != torch.strided:
                raise Refused(f"a tensor of layout {self._leaves[k].layout} (unsupported)")
        _refuse_out_that_is_read(sample)
        self.arguments = [_copied(self._leaves[k].detach()) for k in self._places]

    def in_double(self):
        """The same call, where it names the type of its result that of double precision."""
        twin = copy.copy(self)
        twin._leaves = [torch.float64 if leaf is torch.float32 or leaf is torch.bfloat16 else leaf for leaf in self._leaves]
        return twin

    def values(self, *tensors):
        leaves = list(self._leaves)
        for place, tensor in zip(self._places, tensors):
            leaves[place] = tensor
        entry, (first, rest, named) = self._node.entry, _pytree.tree_unflatten(leaves, self._form)
        if self._node.kind == GRADIENT:
            results = entry.gradcheck_wrapper(entry.op, first, *rest, **named)
            results = self._sample.output_process_fn_grad(results)
        else:
            results = entry.op(first, *rest, **named)
        return _pytree.tree_leaves(results)

    def gradients(self, *given):
        """Of the results, each weighted by a tensor behind the arguments."""
        count = len(self._places)
        tensors = [tensor.detach().requires_grad_(wanted) for tensor, wanted in zip(given, self._wanted)]
        results = _with_gradients(self.values(*tensors))
        sources = [tensor for tensor in tensors if tensor.requires_grad]
        return torch.autograd.grad(results, sources, given[count:], materialize_grads=True)

    def weigh(self):
        """Adds those weights to the arguments; whether there is a result to weigh."""
        tensors = [_copied(argument).requires_grad_(wanted) for argument, wanted in zip(self.arguments, self._wanted)]
        generator = torch.Generator().manual_seed(1)
        results = _with_gradients(self.values(*tensors)) if any(self._wanted) else []
        self.arguments += [torch.rand(one.shape, generator=generator).to(one.dtype) + 0.5 for one in results]
        return bool(results)


def _refuse_out_that_is_read(sample):
    """Arguments travel to the machine one by one, so none is written through another."""
    memory = lambda given: {one.untyped_storage().data_ptr() for one in _pytree.tree_leaves(given)
                            if isinstance(one, torch.Tensor) and one.numel() > 0}
    others = {name: value for name, value in sample.kwargs.items() if name != "out"}
    if memory(sample.kwargs.get("out")) & memory((sample.input, sample.args, others)):
        raise Refused("a result that is written where operands are read (unsupported)")


def _copied(tensor):
    """With its own memory, which may be larger than the tensor."""
    if tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size():
        return tensor.clone()
    memory = tensor.untyped_storage().clone()
    return torch.empty(0, dtype=tensor.dtype).set_(memory, tensor.storage_offset(), tensor.shape, tensor.stride())


def _with_gradients(results):
    return [one for one in results if isinstance(one, torch.Tensor) and one.requires_grad]


class _Case:
    """A sample as a graph, with what PyTorch gives."""

    def __init__(self, function, exact, arguments):
        self._exact, self.arguments = exact, arguments
        try:
            self._theirs = list(function(*map(_copied, arguments)))
        except Exception as error:
            raise Refused(f"PyTorch itself does not run it on a CPU: {' '.join(str(error).split())}") from None
        try:
            self._graph = trace(function, list(map(_copied, arguments)), torch.nn.Module())
        except _DEPENDS_ON_VALUES as error:
            op = str(getattr(error, "func", "") or "")
            raise Refused(_BY_VALUES, op)
        except RuntimeError as error:
            if "data is not allocated" in str(error):  # a tensor whose numbers a call reads
                raise Refused(_BY_VALUES)
            raise
        given = _pytree.tree_leaves(next(node for node in self._graph.graph.nodes if node.op == "output").args[0])
        for value in (node.meta.get("val") for node in given if isinstance(node, torch.fx.Node)):
            if not isinstance(value, torch.Tensor):  # item() of a tensor, for instance
                raise Refused("gives a number of Python's that depends on values (unsupported)")
            if any(isinstance(extent, torch.SymInt) for extent in value.shape):  # as many as are not zero
                raise Refused(_BY_VALUES)

    def write(self, container, prefix):
        """Puts the graph into a container; the tensors that the program will take."""
        writer = Writer(self._graph, "", prefix=prefix, container=container)
        nodes = self._graph.graph.nodes
        placeholders = [node for node in nodes if node.op == "placeholder"]
        outputs = _pytree.tree_leaves(next(node for node in nodes if node.op == "output").args[0])
        taken = [k for k, node in enumerate(placeholders) if not is_empty(node)]
        for k in taken:
            writer.input(placeholders[k])
        writer.write()
        self._results, self._places = [], []  # tensors that the program gives; where each result comes from
        for node in outputs:
            if not isinstance(node, torch.fx.Node):
                self._places.append(("constant", node))
            elif node.op == "placeholder":
                self._places.append(("argument", placeholders.index(node)))
            elif is_empty(node):
                self._places.append(("constant", torch.empty(node.meta["val"].shape, dtype=node.meta["val"].dtype)))
            else:
                writer.output(node)
                value = node.meta["val"]
                self._places.append(("result", len(self._results)))
                self._results.append(torch.empty(value.shape, dtype=value.dtype))
        return [self.arguments[k].contiguous() for k in taken]

    def results(self):
        """Where a run puts its results."""
        return self._results

    def agrees(self, tolerance):
        """Whether the results are PyTorch's; else whether they are those of double precision. Raises _Wrong."""
        whence = {"constant": lambda value: value, "argument": lambda k: self.arguments[k],
                  "result": lambda k: self._results[k]}
        mine = [whence[kind](value) for kind, value in self._places]
        try:
            _compare(mine, self._theirs, tolerance)
            return True
        except AssertionError as error:
            difference = error
        try:
            exact = list(self._exact(*[_widened(argument) for argument in self.arguments]))
            _compare(mine, [_narrowed(one, like) for one, like in zip(exact, self._theirs)], tolerance)
            return False
        except Exception:
            raise _Wrong(" ".join(str(difference).split())) from None


def _compare(mine, theirs, tolerance):
    torch.testing.assert_close(mine, [one.detach() if isinstance(one, torch.Tensor) else one for one in theirs],
                               rtol=tolerance.relative, atol=tolerance.absolute, equal_nan=True)


def _widened(value):
    return value.double() if value.is_floating_point() else value.clone()


def _narrowed(value, like):
    return value.to(like.dtype) if isinstance(value, torch.Tensor) else value


def _case_of(node, sample):
    """None if the sample has no gradient."""
    call = _Call(node, sample)
    if node.kind != GRADIENT:
        return _Case(call.values, call.in_double().values, call.arguments)
    return _Case(call.gradients, call.in_double().gradients, call.arguments) if call.weigh() else None


class _Trial:
    """Runs cases on the machine and counts."""

    def __init__(self, machine, tolerance):
        self._machine, self._tolerance = machine, tolerance
        self.programs = self.cycles = self.by_double = 0

    def run(self, cases):
        """All cases in one program, or in more where one is too large."""
        container, given, taken = Container("op_db"), [], []
        for k, case in enumerate(cases):
            given += case.write(container, f"sample{k}.")
            taken += case.results()
        if taken:
            try:
                program = Program(container.bytes(), machine=self._machine, nodes=1, threads=1)
            except Refused as refused:
                if refused.op or len(cases) == 1:
                    raise
                middle = len(cases) // 2
                return self.run(cases[:middle]), self.run(cases[middle:])
            program.run([array_of(tensor) for tensor in given], [array_of(tensor) for tensor in taken])
            self.programs += 1
            self.cycles += program.costs().cycles
        for case in cases:
            self.by_double += not case.agrees(self._tolerance)


def _judge_values(node, machine):
    trial, cases, samples = _Trial(machine, node.tolerance()), [], 0

    def verdict(outcome, why="", op=""):
        return Verdict(outcome, why, op, samples, trial.by_double, trial.programs, trial.cycles)

    try:
        for sample in node.samples():
            samples += 1
            cases.append(_case_of(node, sample))
        cases = [case for case in cases if case is not None]
        for start in range(0, len(cases), _MOST_SAMPLES):
            trial.run(cases[start:start + _MOST_SAMPLES])
    except Refused as refused:
        return verdict(REFUSED, str(refused), refused.op)
    except _Wrong as wrong:
        return verdict(WRONG, str(wrong))
    except Exception as error:  # of PyTorch or of this package: what it is the record says
        return verdict(ERROR, f"{type(error).__name__}: {' '.join(str(error).split())}")
    return verdict(PASSED)


def _takes(node, sample):
    try:
        node.entry.op(sample.input, *sample.args, **sample.kwargs)
    except Exception:
        return False
    return True


def _judge_errors(node, machine):
    """Whether every call that PyTorch refuses is refused here, too. The list has some that it takes."""
    samples = 0
    for sample, error in node.refused_samples():
        if _takes(node, sample):
            continue
        samples += 1
        try:
            case = _case_of(node, sample)
            container = Container("op_db")
            given = case.write(container, "")
            program = Program(container.bytes(), machine=machine, nodes=1, threads=1)
            program.run([array_of(tensor) for tensor in given], [array_of(tensor) for tensor in case.results()])
        except Exception:  # any is a refusal
            continue
        return Verdict(WRONG, f"call {samples}, at which PyTorch raises {error}, is taken", "", samples)
    return Verdict(PASSED, samples=samples)


def judge(node, machine):
    if node.is_undefined:
        return Verdict(REFUSED, "PyTorch leaves its values open (unsupported)", node.entry.name)
    return _judge_errors(node, machine) if node.kind == ERRORS else _judge_values(node, machine)
