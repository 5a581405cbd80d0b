"""Training steps as graphs: model, loss, gradients and optimizer traced together.

The first trace records what PyTorch does, with its in-place operations, and which module each operator comes from. The
second runs that graph again and takes it apart: in-place operations become new values, and operators that the machine has no row
for become others.
"""

import contextlib
import functools
import re
import signal
import threading

import torch
import torch.fx.traceback
from torch._dynamo.convert_frame import compile_lock
from torch._dynamo.source import ConstantSource
from torch._decomp import core_aten_decompositions, decomposition_table, get_decompositions
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import (DimDynamic, GuardOnDataDependentSymNode, ShapeEnv,
                                                    StatelessSymbolicContext)
from torch.nn.attention import SDPBackend, sdpa_kernel

from opendojo import draws, matrices, order, places, resampling, special  # all but the first enter theirs into OWN
from opendojo.decompositions import OWN
from opendojo.library import Refused, operators

_aten = torch.ops.aten

@functools.cache
def _first():
    """What the first trace takes apart already: this operator writes running statistics without saying so in its schema."""
    return get_decompositions((_aten.native_batch_norm, ))


def _extents(x, dim):
    """The dimensions that a mean goes over, and how many elements those are."""
    dims = list(range(x.dim())) if dim is None or dim == [] else [dim] if isinstance(dim, int) else list(dim)
    count = 1
    for d in dims:
        count = count * x.shape[d]
    return dims, count


def _mean(x, dim=None, keepdim=False, *, dtype=None):
    dims, count = _extents(x, dim)
    return _aten.sum.dim_IntList(x, dims, keepdim, dtype=dtype) / count


def _var_mean(x, dim=None, *, correction=None, keepdim=False):
    dims, count = _extents(x, dim)
    mean = _mean(x, dims, True)
    squares = _aten.sum.dim_IntList((x - mean)**2, dims, keepdim)
    return squares / (count - (1 if correction is None else correction)), mean if keepdim else mean.squeeze(dims)


def _prims():
    """What torch.compile makes beside ATen's operators: of `x.add_(y, alpha=tensor)`, for instance."""
    fma = getattr(torch.ops.prims, "fma", None)  # there once somebody has compiled
    return {fma.default: lambda a, b, c: a * b + c} if fma else {}


# Operators that divide by a number of elements, as sums: that number may be one of samples, which vary.
_BY_NUMBER = {
    _aten.mean.default: lambda x, *, dtype=None: _mean(x, dtype=dtype),
    _aten.mean.dim: _mean,
    _aten.var.correction: lambda x, dim=None, **how: _var_mean(x, dim, **how)[0],
    _aten.std.correction: lambda x, dim=None, **how: _var_mean(x, dim, **how)[0].sqrt(),
    _aten.var_mean.correction: _var_mean,
}

# Others of that kind, which PyTorch takes apart: a row that one gets must not be used where samples vary.
_ALSO_BY_NUMBER = re.compile(r"_loss|batch_norm|^std_mean|^nanmean|^renorm|^cov")


@functools.cache
def _decompositions(varying):
    """How operators that the machine has no row for are made of others: our own list, PyTorch's for core ATen and the
    others of its decompositions; not its references, which end in operators of another kind (prims). `varying`: the number
    of samples is not fixed."""
    rows = operators()
    if varying:
        rows = {row for row in rows if not _ALSO_BY_NUMBER.search(row)}
    own = {op: how for op, how in decomposition_table.items() if how.__module__ == "torch._decomp.decompositions"}
    made = {op: how for op, how in {**own, **core_aten_decompositions()}.items()
            if isinstance(op, torch._ops.OpOverload) and op.namespace == "aten" and
            f"{op._schema.name.removeprefix('aten::')}.{op._overloadname}" not in rows}
    return {**made, **OWN, **draws.decompositions(), **(_BY_NUMBER if varying else {})}


def decompositions(varying=False):
    """How operators that the machine has no row for are made of others. `varying`: the number of samples is not fixed."""
    return {**_decompositions(varying), **_prims()}


@contextlib.contextmanager
def in_parts():
    """While it lasts attention is traced as products and a softmax, recurrent layers as theirs, and not as operators of some
    processor's."""
    with sdpa_kernel(SDPBackend.MATH), torch.backends.mkldnn.flags(enabled=False):
        yield


@contextlib.contextmanager
def _no_decisions():
    """What is done by a value of a tensor is refused."""
    try:
        yield
    except GuardOnDataDependentSymNode as error:
        found = re.search(r"Caused by: \(?([^ )\n]*:\d+)", str(error))
        line = found.group(1) if found else ""
        raise Refused(f"{line or 'the model or the loss'}: what is done there depends on a value that only a run knows (unsupported)",
                      line=line) from None


@contextlib.contextmanager
def _modules_named(model):
    """While it lasts every operator is marked with the path of the module whose forward() it is in, in this thread: the
    hooks are those of all modules, and other threads may run theirs."""
    names = {module: name for name, module in model.named_modules()}
    open_marks, traced = [], threading.get_ident()

    def enter(module, arguments):
        if threading.get_ident() == traced:
            mark = torch.fx.traceback.annotate({"opendojo.module": names.get(module, type(module).__name__)})
            mark.__enter__()
            open_marks.append(mark)

    def leave(module, arguments, result):
        if threading.get_ident() == traced:
            open_marks.pop().__exit__(None, None, None)

    hooks = torch.nn.modules.module
    handles = [hooks.register_module_forward_pre_hook(enter),
               hooks.register_module_forward_hook(leave, always_call=True)]
    try:
        with torch.fx.traceback.preserve_node_meta():
            yield
    finally:
        while open_marks:
            open_marks.pop().__exit__(None, None, None)
        for handle in handles:
            handle.remove()


def _stand_in(mode, place, argument, varies):
    """A tensor without data; `varies`: dimension 0 is a symbol, the same as others of that extent."""
    if not varies:
        return mode.from_tensor(argument.detach(), static_shapes=True)
    sizes = [DimDynamic.DUCK] + [DimDynamic.STATIC] * (argument.dim() - 1)
    return mode.from_tensor(argument.detach(), source=ConstantSource(f"argument{place}"),
                            symbolic_context=StatelessSymbolicContext(dynamic_sizes=sizes))


@contextlib.contextmanager
def _ctrl_c_afterwards():
    """While it lasts Ctrl-C waits: PyTorch's tracer, ended anywhere, leaves its settings as they were in between."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    noted = []
    former = signal.signal(signal.SIGINT, lambda number, frame: noted.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if noted and callable(former):
        former(*noted[0])


@contextlib.contextmanager
def _alone():
    """While it lasts no other thread traces or compiles: PyTorch 2.13's tracer keeps its patches of nn.Module for the whole
    process (torch.fx._symbolic_trace), and torch.compile holds this lock."""
    with compile_lock:
        yield


@_alone()
@_ctrl_c_afterwards()
def trace(function, arguments, model, varying=()):
    """The graph of function(*arguments), a flat list of tensors in and out, for tensors of these shapes and types, but for
    dimension 0 of the arguments at the places `varying`. meta["guards"] are the assumptions on those, sympy's."""
    mode = FakeTensorMode(allow_non_fake_inputs=True, shape_env=ShapeEnv())
    fakes = [_stand_in(mode, k, argument, k in varying) for k, argument in enumerate(arguments)]
    with mode, _modules_named(model), in_parts(), _no_decisions():
        recorded = make_fx(function, decomposition_table=_first(), record_stack_traces=True,
                           _allow_non_fake_inputs=True)(*fakes)

    def again(*values):
        with torch.fx.traceback.preserve_node_meta():
            return torch.fx.Interpreter(recorded).run(*values)

    with mode, draws.numbered_anew():
        fakes = [fake.detach() for fake in fakes]
        graph = make_fx(torch.func.functionalize(again, remove="mutations"), decomposition_table=decompositions(bool(varying)),
                        _allow_non_fake_inputs=True)(*fakes)
    graph.meta["guards"] = [guard.expr for guard in mode.shape_env.guards]
    return graph
