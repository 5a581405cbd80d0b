"""compare(): where a model's tensors on the machine depart from PyTorch's, and the first one that does."""

import dataclasses

import torch

from opendojo.draws import Draws, drawn_with
from opendojo.graph import Writer, array_of, place_of
from opendojo.library import Program, Refused
from opendojo.trace import trace


@dataclasses.dataclass
class Departure:
    """A tensor of a model that is not PyTorch's within the bound: the operator that made it with its module and the line of
    the user's source, both tensors, and the largest difference as a share of PyTorch's largest magnitude."""

    op: str
    module: str
    line: str
    mine: torch.Tensor
    theirs: torch.Tensor
    error: float


def _error(mine, theirs):
    """The largest difference as a share of the largest finite magnitude; infinite where only one is no finite number."""
    mine, theirs = mine.double(), theirs.double()
    odd = ~theirs.isfinite()
    if not torch.equal(mine[odd].nan_to_num(nan=7e300), theirs[odd].nan_to_num(nan=7e300)):
        return float("inf")
    mine, theirs = mine[~odd], theirs[~odd]
    if mine.numel() == 0:
        return 0.0
    difference = (mine - theirs).abs().max().item()
    largest = theirs.abs().max().item()
    if difference != difference:
        return float("inf")
    return difference / largest if largest > 0 else difference


class _Recorded(torch.fx.Interpreter):
    """What PyTorch itself gives for every node."""

    def __init__(self, graph):
        super().__init__(graph)
        self.values = {}

    def run_node(self, node):
        value = super().run_node(node)
        self.values[node] = value.clone() if isinstance(value, torch.Tensor) else value
        return value


def _of_one_kind(result):
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, (tuple, list)) and all(isinstance(one, torch.Tensor) for one in result):
        return list(result)
    raise Refused("the model gives something else than tensors (unsupported)")


def compare(model, *arguments, bound=1e-3, machine="d1", formats="fp32", nodes=0, threads=0):
    """The first tensor of model(*arguments) on the machine that departs from PyTorch's by more than `bound` (a share of that
    tensor's largest magnitude): a Departure; None if none does. Every tensor is compared, in the order of the model's
    computation; the model and its running statistics stay as they are."""
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    names = list(tensors)
    values = [value.detach().clone().contiguous() for value in tensors.values()]

    def forward(*given):
        with torch.no_grad():
            held = dict(zip(names, (value.clone() for value in given[:len(names)])))
            return _of_one_kind(torch.func.functional_call(model, held, tuple(given[len(names):])))

    inputs = [*values, *(argument.detach().contiguous() for argument in arguments)]
    graph = trace(forward, inputs, model)
    nodes_of = list(graph.graph.nodes)
    placeholders = [node for node in nodes_of if node.op == "placeholder"]
    recorded = _Recorded(graph)
    draws = Draws(0)
    with drawn_with(draws):
        results = recorded.run(*(value.clone() for value in inputs))
    writer = Writer(graph, "forward pass")
    for k, node in enumerate(placeholders):
        writer.input(node)
        if k < len(names):
            writer.container.resident("state", node.name)
    writer.write()
    wanted = writer.written
    for node in wanted:
        writer.output(node)
    program = Program(writer.container.bytes(), machine=machine, formats=formats, nodes=nodes, threads=threads)
    program.write_states([array_of(value) for value in values])
    made = [torch.empty(tuple(node.meta["val"].shape), dtype=node.meta["val"].dtype) for node in wanted]
    given = inputs[len(names):] + writer.numbers_now({}, draws)
    program.run([array_of(value) for value in given], [array_of(value) for value in made])
    for node, mine in zip(wanted, made):
        error = _error(mine, recorded.values[node])
        if error > bound:
            return Departure(str(node.target), *place_of(node), mine, recorded.values[node], error)
    return None if writer.draws() else _against_the_model(forward, inputs, results, bound)


def _against_the_model(forward, inputs, results, bound):
    """PyTorch takes a model apart for the machine: what its parts give must be what the whole gives."""
    for mine, theirs in zip(results, forward(*(value.clone() for value in inputs))):
        error = _error(mine, theirs)
        if error > bound:
            return Departure("PyTorch's decomposition", "", "", mine, theirs, error)
    return None
