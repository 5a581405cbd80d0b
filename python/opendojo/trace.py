"""Training steps as graphs: model, loss, gradients and optimizer traced together.

The first trace records what PyTorch does, with its in-place operations, and which module each operator comes from. The
second runs that graph again and takes it apart: in-place operations become new values, and operators that the machine has no row
for become others.
"""

import contextlib
import functools

import torch
import torch.fx.traceback
from torch._decomp import core_aten_decompositions, decomposition_table, get_decompositions
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.nn.attention import SDPBackend, sdpa_kernel

from opendojo.library import operators

_aten = torch.ops.aten

# What the first trace takes apart already: this operator writes running statistics without saying so in its schema.
_FIRST = (_aten.native_batch_norm, )


@functools.cache
def decompositions():
    """How operators that the machine has no row for are made of others: PyTorch's list for core ATen and the others of
    its decompositions; not its references, which end in operators of another kind (prims)."""
    rows = operators()
    own = {op: how for op, how in decomposition_table.items() if how.__module__ == "torch._decomp.decompositions"}
    return {op: how for op, how in {**own, **core_aten_decompositions()}.items()
            if isinstance(op, torch._ops.OpOverload) and op.namespace == "aten" and
            f"{op._schema.name.removeprefix('aten::')}.{op._overloadname}" not in rows}


def attention_apart():
    """While it lasts attention is traced as products and a softmax, and not as one operator of some processor's."""
    return sdpa_kernel(SDPBackend.MATH)


@contextlib.contextmanager
def _modules_named(model):
    """While it lasts every operator is marked with the path of the module whose forward() it is in."""
    names = {module: name for name, module in model.named_modules()}
    open_marks = []

    def enter(module, arguments):
        mark = torch.fx.traceback.annotate({"opendojo.module": names.get(module, type(module).__name__)})
        mark.__enter__()
        open_marks.append(mark)

    def leave(module, arguments, result):
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


def trace(function, arguments, model):
    """The graph of function(*arguments), a flat list of tensors in and out, for tensors of these shapes and types."""
    mode = FakeTensorMode(allow_non_fake_inputs=True, shape_env=ShapeEnv())
    fakes = [mode.from_tensor(argument.detach(), static_shapes=True) for argument in arguments]
    with mode, _modules_named(model), attention_apart():
        recorded = make_fx(function, decomposition_table=get_decompositions(_FIRST), record_stack_traces=True,
                           _allow_non_fake_inputs=True)(*fakes)

    def again(*values):
        with torch.fx.traceback.preserve_node_meta():
            return torch.fx.Interpreter(recorded).run(*values)

    with mode:
        fakes = [fake.detach() for fake in fakes]
        return make_fx(torch.func.functionalize(again, remove="mutations"), decomposition_table=decompositions(),
                       _allow_non_fake_inputs=True)(*fakes)
