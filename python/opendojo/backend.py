"""The back end of torch.compile: forward and backward graphs as programs of the machine.

    model = torch.compile(model, backend="opendojo", dynamic=False)
    model = torch.compile(model, backend="opendojo", options={"machine": "test6", "nodes": 2}, dynamic=False)

What a graph computes runs on the machine; loss, clipping and optimizer run where PyTorch runs them unless they are
compiled, too. Parameters travel with every call: opendojo.train_step keeps them in the machine.
"""

import torch
from torch._dynamo.backends.common import aot_autograd

from opendojo.graph import Writer, array_of, refuse
from opendojo.known import is_empty
from opendojo.library import Program, Refused
from opendojo.trace import attention_apart, decompositions

_OPTIONS = ("machine", "formats", "nodes", "threads")


def _program_of(graph, arguments, name, options):
    """The graph as a program, and how its results become what the graph's caller wants."""
    placeholders = [node for node in graph.graph.nodes if node.op == "placeholder"]
    for node, argument in zip(placeholders, arguments):
        if not isinstance(argument, torch.Tensor):
            refuse(node, "an argument that is no tensor; compile with dynamic=False (unsupported)")
    outputs = next(node for node in graph.graph.nodes if node.op == "output").args[0]
    writer = Writer(graph, name)
    taken = [k for k, node in enumerate(placeholders) if not is_empty(node)]
    for k in taken:
        writer.input(placeholders[k])
    writer.write()
    results, places = [], []  # tensors that the program gives, each once; where each output comes from
    for node in outputs:
        if not isinstance(node, torch.fx.Node):
            places.append(("constant", node))
        elif node.op == "placeholder":
            places.append(("argument", placeholders.index(node)))
        elif is_empty(node):
            places.append(("empty", node.meta["val"]))
        else:
            if node not in results:
                results.append(node)
                writer.output(node)
            places.append(("result", results.index(node)))
    program = Program(writer.container.bytes(), **options) if results else None
    return program, taken, [node.meta["val"] for node in results], places


def _compiler(name, options):

    def compile_graph(graph, arguments):
        program, taken, shapes, places = _program_of(graph, arguments, name, options)

        def run(given):
            results = [torch.empty(value.shape, dtype=value.dtype) for value in shapes]
            if program is not None:
                tensors = [given[k].detach().contiguous() for k in taken]
                program.run([array_of(value) for value in tensors], [array_of(value) for value in results])
            whence = {
                "constant": lambda value: value,
                "argument": lambda k: given[k],
                "empty": lambda value: torch.empty(value.shape, dtype=value.dtype),
                "result": lambda k: results[k],
            }
            made = [whence[kind](value) for kind, value in places]
            given.clear()
            return made

        run._boxed_call = True
        return run

    return compile_graph


def opendojo(module, arguments, *, options=None, mode=None):
    """Called by torch.compile with the graph of a model."""
    chosen = dict(options or {})
    for key in chosen:
        if key not in _OPTIONS:
            raise Refused(f"option '{key}' is none of {', '.join(_OPTIONS)}")
    if mode is not None:
        raise Refused(f"mode '{mode}' means nothing to this back end (unsupported)")
    compile_ahead = aot_autograd(fw_compiler=_compiler("forward pass", chosen), bw_compiler=_compiler("backward pass", chosen),
                                 inference_compiler=_compiler("forward pass", chosen), decompositions=decompositions())
    with attention_apart():
        return compile_ahead(module, arguments)
