"""The back end of torch.compile: forward and backward graphs as programs of the machine.

    model = torch.compile(model, backend="opendojo")
    model = torch.compile(model, backend="opendojo", options={"machine": "test6", "nodes": 2})

What a graph computes runs on the machine; loss, clipping and optimizer run where PyTorch runs them unless they are
compiled, too. opendojo.report() says what ran where.
"""

import collections

import torch
from torch._dynamo.backends.common import aot_autograd
from torch._guards import CompileContext, TracingContext

from opendojo import versions, watch
from opendojo.compiled import CompiledGraph, Places
from opendojo.library import Refused
from opendojo.trace import in_parts, decompositions

_OPTIONS = ("machine", "formats", "nodes", "threads")


def _parts(graph):
    placeholders = [node for node in graph.graph.nodes if node.op == "placeholder"]
    output = next(node for node in graph.graph.nodes if node.op == "output")
    return placeholders, output


# The most samples that a function was called with while its shapes were fixed: PyTorch traces with shapes that vary when
# another number comes, by the number of the function (a frame's) that it gives.
_largest = collections.Counter()


class _Compiler:
    """Of one function's graphs."""

    def __init__(self, function, options):
        self._function, self._options, self._places = function, options, Places()
        compiling = CompileContext.current_compile_id()
        self._frame = compiling and compiling.frame_id

    def _compiled(self, graph, kind, places):
        made = CompiledGraph(graph, f"{kind} of {self._function}", places, self._options, _largest[self._frame])
        watch.ledger.made(made)
        return made

    def forward(self, graph, arguments):
        placeholders, output = _parts(graph)
        static = TracingContext.get().fw_metadata.static_input_indices
        places = self._places.guess(placeholders, static)
        for node in places:
            samples = node.meta["val"].shape[0]
            if isinstance(samples, int):
                _largest[self._frame] = max(_largest[self._frame], samples)
        made = self._compiled(graph, "forward pass", places)
        self._places.keep(output.args[0], output.meta["desc"], made.places)
        return made.runner()

    def backward(self, graph, arguments):
        placeholders, _ = _parts(graph)
        return self._compiled(graph, "backward pass", self._places.known(placeholders)).runner()


def _function_now():
    """What PyTorch makes a graph from at this moment, as "forward (model.py:12)"."""
    code = TracingContext.get().fake_mode.shape_env.co_fields or {}
    return f"{code.get('co_name', 'a function')} ({code.get('co_filename', '?')}:{code.get('co_firstlineno', '?')})"


def opendojo(module, arguments, *, options=None, mode=None):
    """Called by torch.compile with each graph of a model."""
    chosen = dict(options or {})
    for key in chosen:
        if key not in _OPTIONS:
            raise Refused(f"option '{key}' is none of {', '.join(_OPTIONS)}")
    if mode is not None:
        raise Refused(f"mode '{mode}' means nothing to this back end (unsupported)")
    versions.try_another()
    function = _function_now()
    watch.ledger.compiling(function)
    compiler = _Compiler(function, chosen)
    varying = any(isinstance(argument, torch.SymInt) for argument in arguments)
    compile_ahead = aot_autograd(fw_compiler=compiler.forward, bw_compiler=compiler.backward,
                                 inference_compiler=compiler.forward, decompositions=decompositions(varying))
    with in_parts():
        return compile_ahead(module, arguments)
