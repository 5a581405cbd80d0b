"""What a graph gives whatever its inputs hold: results of operators whose operands have no elements, such as the sum of
none. PyTorch computes them while the graph is written."""

import operator

import torch
from torch._subclasses.fake_tensor import unset_fake_temporarily


def is_empty(node):
    """Whether a node gives a tensor without elements: then there is nothing to compute."""
    value = node.meta.get("val")
    return isinstance(value, torch.Tensor) and any(isinstance(extent, int) and extent == 0 for extent in value.shape)


def known_values(module):
    """The nodes of a graph that are known so, each with its value."""
    known = {}

    def value_of(node):
        if node in known:
            return known[node]
        described = node.meta["val"]
        return torch.empty(described.shape, dtype=described.dtype)

    for node in module.graph.nodes:
        operands = node.all_input_nodes
        if node.op != "call_function" or not operands or is_empty(node):
            continue
        if not all(operand in known or is_empty(operand) for operand in operands):
            continue
        if node.target is operator.getitem:
            known[node] = known[node.args[0]][node.args[1]]
        elif isinstance(node.target, torch._ops.OpOverload):
            with unset_fake_temporarily(), torch.no_grad():
                known[node] = node.target(*torch.fx.map_arg(node.args, value_of), **torch.fx.map_arg(node.kwargs, value_of))
    return known
