"""PyTorch's graphs (torch.fx, of ATen's operators) as containers."""

import math
import operator
import os

import torch
from torch._subclasses.fake_tensor import unset_fake_temporarily

from opendojo.container import Container
from opendojo.draws import LAUNCH, SEED
from opendojo.known import is_empty, known_values
from opendojo.library import BFLOAT16, BOOL, FLOAT32, INT8, INT16, INT32, INT64, UINT8, Array, Refused
from opendojo.sizes import Sizes, symbols_of, value_at

TYPES = {
    torch.float32: FLOAT32,
    torch.bfloat16: BFLOAT16,
    torch.uint8: UINT8,
    torch.int8: INT8,
    torch.int16: INT16,
    torch.int32: INT32,
    torch.int64: INT64,
    torch.bool: BOOL,
}

def array_of(tensor):
    """A dense tensor of the host's as the C ABI has it."""
    return Array(tensor.data_ptr(), tuple(tensor.shape), TYPES[tensor.dtype], tensor)


# Arithmetic of Python's on numbers that are known only when the graph runs, as ATen's operators: of two such numbers,
# of one with a number behind it, of one with a number before it.
_ARITHMETIC = {
    operator.add: ("add.Tensor", "add.Scalar", "add.Scalar"),
    operator.sub: ("sub.Tensor", "sub.Scalar", "rsub.Scalar"),
    operator.mul: ("mul.Tensor", "mul.Scalar", "mul.Scalar"),
    operator.truediv: ("div.Tensor", "div.Scalar", None),
    operator.pow: ("pow.Tensor_Tensor", "pow.Tensor_Scalar", "pow.Scalar"),
    operator.neg: ("neg.default", None, None),
    pow: ("pow.Tensor_Tensor", "pow.Tensor_Scalar", "pow.Scalar"),
}

_WITHOUT_RESULT = ("profiler::_record_function", "aten::_assert", "aten::sym_constrain", "aten::copy_")


def place_of(node):
    """The path of the module that a node comes from and the line of the user's source, where PyTorch knows them."""
    module = (node.meta.get("custom") or {}).get("opendojo.module", "")
    stack = node.meta.get("nn_module_stack")
    if not module and stack:
        module = list(stack.values())[-1][0]
        for noise in ("L['self'].", "L['fn'].", "self."):
            module = module.removeprefix(noise)
    line = ""
    for frame in (node.meta.get("stack_trace") or "").split("\n"):
        frame = frame.strip()
        if frame.startswith('File "') and f"{os.sep}torch{os.sep}" not in frame and ", line " in frame:
            path, rest = frame[len('File "'):].split('"', 1)
            line = f"{path}:{rest.split(',')[1].split()[-1]}"
    return module, line


def refuse(node, what):
    module, line = place_of(node)
    op = str(node.target)
    place = "".join([f" of module {module}" if module else "", f", {line}" if line else ""])
    raise Refused(f"node '{node.name}' ({op}){place}: {what}", op, module, line)


def _described(node, value, sizes):
    """Element type and shape of what a node gives."""
    if isinstance(value, torch.Tensor):
        kind = TYPES.get(value.dtype)
        if node.op == "call_function" and value.dtype == torch.float64 and value.dim() == 0:
            kind = FLOAT32  # a number of Python's, as it is in arithmetic with tensors
        if kind is None:
            refuse(node, f"holds {value.dtype}; float32, bfloat16, whole numbers and truth values are carried (not yet implemented)")
        shape = tuple(sizes.extent(extent) for extent in value.shape)
        if None in shape:
            refuse(node, f"has a dimension that depends on values, {value.shape[shape.index(None)]} (unsupported)")
        return kind, shape
    if isinstance(value, (torch.SymFloat, float)):
        return FLOAT32, ()
    if isinstance(value, (torch.SymInt, int)):
        return INT64, ()
    refuse(node, f"gives {type(value).__name__} (unsupported)")


def _attribute(value):
    if isinstance(value, torch.dtype):
        return str(value if value != torch.float64 else torch.float32).removeprefix("torch.")  # of numbers: _described
    if isinstance(value, (torch.layout, torch.device, torch.memory_format)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    return value


VALID = "samples.valid"  # the input that says which samples count, where some may be left out

# Operators under another name, which PyTorch makes of numbers last.
_SAME = {"true_divide.Tensor": "div.Tensor"}

# What makes a tensor whose size is an argument, and no number that is computed with.
_SIZED = ("aten::arange", )


class Writer:
    """Writes the nodes of a graph into a container; `names` gives the placeholders other names. `numbers` are then
    what the program wants with every run, in the order of its inputs: nodes of numbers, made of sizes that vary, and the
    names of what draws depend on.

    Several graphs may share a container, each with a prefix of its own to its names; they do not draw.
    """

    def __init__(self, module, name, names=None, sizes=None, prefix="", container=None):
        self.container = Container(name) if container is None else container
        self._may_draw = container is None
        self.numbers = []
        self.written = []  # nodes that give a tensor, in order
        self._module, self._prefix = module, prefix
        self._sizes = sizes or Sizes({})
        self._names = dict(names or {})

    def name(self, node):
        return self._names.setdefault(node, self._prefix + node.name)

    def _part(self, node, index):
        """The name of one of several results."""
        return f"{self._prefix}{node.name}.{index}"

    def input(self, node):
        """A placeholder as an input that comes with every run."""
        self.container.input(self.name(node), *self._described(node, node.meta["val"]))

    def output(self, node):
        if node.meta["val"].dtype not in TYPES:
            refuse(node, f"gives {node.meta['val'].dtype} (not yet implemented)")
        self.container.output(self.name(node), *self._described(node, node.meta["val"]))

    def _described(self, node, value):
        return _described(node, value, self._sizes)

    def write(self):
        nodes = list(self._module.graph.nodes)
        known = known_values(self._module)
        needed = self._wanted = self._needed(nodes, known)
        for node in nodes:
            if node in known:
                if node in needed and isinstance(known[node], torch.Tensor):
                    self._initialiser(node, known[node])
            elif node.op == "get_attr" and node in needed:
                self._constant(node)
            elif node.op == "call_function" and node in needed:
                self._call(node)
                if isinstance(node.meta.get("val"), torch.Tensor):
                    self.written.append(node)
            elif node.op not in ("placeholder", "get_attr", "call_function", "output"):
                refuse(node, f"a node of kind {node.op} (unsupported)")

    def _needed(self, nodes, known):
        """What outputs depend on, and thus not the writing back into inputs that functionalisation appends."""
        needed = set()
        for node in reversed(nodes):
            if node.op == "output" or (node in needed and node not in known):
                needed.update(operand for operand in node.all_input_nodes if not is_empty(operand))
        return needed

    def _constant(self, node):
        value = self._module
        for part in node.target.split("."):
            value = getattr(value, part)
        if not isinstance(value, torch.Tensor):
            refuse(node, f"a constant of type {type(value).__name__} (unsupported)")
        self._initialiser(node, value)

    def _initialiser(self, node, value):
        kind, shape = self._described(node, value)
        with unset_fake_temporarily():
            data = value.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes()
        self.container.initialiser(self.name(node), kind, shape, data)

    def _result(self, node, name, value):
        kind, shape = self._described(node, value)
        self.container.value(name, kind, shape)

    def _add(self, node, op, inputs, outputs, attributes):
        module, line = place_of(node)
        said = {key: value for key, value in (("module", module), ("line", line)) if value}
        self.container.node(op, self._prefix + node.name, inputs, outputs, attributes, said)

    def _call(self, node):
        target = node.target
        if self._sizes.is_known(node.meta.get("val")):
            return
        if target is operator.getitem:
            self._names[node] = self._part(node.args[0], node.args[1])
        elif target in _ARITHMETIC:
            self._arithmetic(node)
        elif target is torch.ops.aten.scalar_tensor.default and self._is_number(node.args[0]):
            self._names[node] = self.name(self._with_sizes(node.args[0], True))
        elif target is torch.ops.prims.convert_element_type.default:  # of numbers, which PyTorch makes tensors last
            self._add(node, "_to_copy.default", [self.name(node.args[0])], [self.name(node)], {"dtype": _attribute(node.args[1])})
            self._result(node, self.name(node), node.meta["val"])
        elif not isinstance(target, torch._ops.OpOverload):
            refuse(node, "no operator of ATen's (unsupported)")
        elif not target._schema.name.startswith(_WITHOUT_RESULT):
            self._operator(node, target)

    def _complement_of_power(self, node):
        """`1 - c**n` of a known c just below 1, an optimizer's correction of its averages: Python has it in double
        precision, where FP32 would lose the digits that c**n has beyond those of 1. As -expm1(n log c) it keeps them.
        Whether it was one."""
        if node.target is not operator.sub or node.args[0] != 1 or not isinstance(node.args[1], torch.fx.Node):
            return False
        power = node.args[1]
        if power.target not in (operator.pow, pow) or not isinstance(power.args[0], float) or not 0.5 < power.args[0] < 1:
            return False
        exponent, name = power.args[1], self.name(node)
        self._add(node, "mul.Scalar", [self.name(exponent)], [f"{name}.exponent"], {"other": math.log(power.args[0])})
        self._add(node, "expm1.default", [f"{name}.exponent"], [f"{name}.negative"], {})
        self._add(node, "neg.default", [f"{name}.negative"], [name], {})
        for made in (f"{name}.exponent", f"{name}.negative", name):
            self._result(node, made, node.meta["val"])
        return True

    def _arithmetic(self, node):
        if self._complement_of_power(node):
            return
        ops = _ARITHMETIC[node.target]
        numbers = [k for k, value in enumerate(node.args) if not isinstance(value, torch.fx.Node)]
        op = ops[0] if not numbers else ops[1] if numbers == [1] else ops[2]
        if op is None:
            refuse(node, "arithmetic of Python's on a number of the graph (not yet implemented)")
        inputs, attributes = [], {}
        for k, value in enumerate(node.args):
            if k not in numbers:
                inputs.append(self.name(value))
            elif op == "pow.Scalar":
                inputs.append("")
                attributes["self"] = value
            else:
                attributes["exponent" if op.startswith("pow") else "other"] = value
        self._add(node, op, inputs, [self.name(node)], attributes)
        self._result(node, self.name(node), node.meta["val"])

    def _operator(self, node, target):
        if target is torch.ops.opendojo.uniform.default:
            return self._draw(node)
        if target.namespace != "aten":
            refuse(node, "no operator of ATen's (unsupported)")
        op = target._schema.name.removeprefix("aten::") + "." + target._overloadname
        op = _SAME.get(op, op)
        inputs, attributes = [], {}
        for place, argument in enumerate(target._schema.arguments):
            value = node.args[place] if place < len(node.args) else node.kwargs.get(argument.name, argument.default_value)
            self._argument(node, argument, value, inputs, attributes)
        if self._has_a_batch_of_its_own(node):
            return self._counted(node, op, inputs, attributes)
        self._add(node, op, inputs, self._outputs(node), attributes)

    def _draw(self, node):
        """Its operand gives the shape alone."""
        if not self._may_draw:
            refuse(node, "draws random numbers (unsupported)")
        for name in (SEED, LAUNCH):
            if name not in self.numbers:
                self.numbers.append(name)
                self.container.input(name, FLOAT32, ())
        operands, attributes = [SEED, LAUNCH], {"number": node.args[1]}
        if self._sizes.varies(node.meta["val"]):
            return self._counted(node, "opendojo_uniform.default", operands, attributes)
        self._add(node, "opendojo_uniform.default", operands, self._outputs(node), attributes)

    def _has_a_batch_of_its_own(self, node):
        """Whether it makes a tensor of the samples' number from none of theirs."""
        varies = lambda value: isinstance(value, torch.Tensor) and self._sizes.varies(value)
        return varies(node.meta["val"]) and not any(varies(operand.meta.get("val")) for operand in node.all_input_nodes)

    def _counted(self, node, op, inputs, attributes):
        """Its result with zeros for the samples that are left out: sums leave out only what is known to be a sample's."""
        value = node.meta["val"]
        dimensions = self._sizes.varies(value)
        kind, shape = self._described(node, value)
        if len(dimensions) != 1 or symbols_of(value.shape[dimensions[0]]) != {value.shape[dimensions[0]].node.expr}:
            refuse(node, "makes a tensor of samples that are merged with others (unsupported)")
        every, valid, zero = (f"{self.name(node)}.{part}" for part in ("every", "valid", "zero"))
        self._add(node, op, inputs, [every], attributes)
        self.container.value(every, kind, shape)
        column = [1] * len(shape)
        column[dimensions[0]] = shape[dimensions[0]]
        self._add(node, "view.default", [VALID], [valid], {"size": column})
        self.container.value(valid, BOOL, column)
        self.container.initialiser(zero, kind, (), bytes(torch.zeros((), dtype=value.dtype).element_size()))
        self._add(node, "where.self", [valid, every, zero], [self.name(node)], {})
        self._result(node, self.name(node), value)

    def _argument(self, node, argument, value, inputs, attributes):
        """An operand or an attribute: operands have a slot each, in the schema's order."""
        kind = str(argument.type)
        is_list = kind.startswith("List[")
        has_slots = "Tensor" in kind or (not is_list and "number" in kind)
        value = self._with_sizes(value, has_slots and not node.target._schema.name.startswith(_SIZED))
        if isinstance(value, torch.fx.Node):
            if not has_slots:
                refuse(node, f"argument '{argument.name}' is computed (unsupported)")
            if is_empty(value):
                refuse(node, f"'{value.name}' has no elements (not yet implemented)")
            inputs.append(self.name(value))
        elif has_slots and is_list:
            inputs.extend("" if one is None else self.name(one) for one in value or [] if one is None or not is_empty(one))
        else:
            if has_slots:
                inputs.append("")
            if isinstance(value, (list, tuple)) and any(isinstance(one, torch.fx.Node) for one in value):
                refuse(node, f"argument '{argument.name}' is computed (unsupported)")
            if value is not None:
                attributes[argument.name] = _attribute(value)

    def _is_number(self, value):
        """Whether it comes with every run."""
        size = value.meta.get("val") if isinstance(value, torch.fx.Node) else value
        return self._sizes.is_known(size) and self._sizes.batch in symbols_of(size)

    def draws(self):
        return SEED in self.numbers

    def numbers_now(self, sizes, draws):
        """The values of `numbers`, as tensors."""
        drawn = draws.numbers()
        return [torch.tensor(float(drawn[one] if isinstance(one, str) else value_at(one.meta["val"], sizes)))
                for one in self.numbers]

    def _with_sizes(self, value, is_number):
        """An argument with fixed sizes in it; a number that is computed with comes with every run if it varies."""
        if isinstance(value, (list, tuple)):
            return [self._with_sizes(one, False) for one in value]
        size = value.meta.get("val") if isinstance(value, torch.fx.Node) else value
        if not self._sizes.is_known(size):
            return value
        if not is_number or self._sizes.batch not in symbols_of(size):
            return self._sizes.extent(size)
        if not isinstance(value, torch.fx.Node):
            return value
        if value not in self.numbers:
            self.numbers.append(value)
            self._names[value] = f"number.{len(self.numbers)}"
            self.container.input(self.name(value), FLOAT32, ())
        return value

    def _outputs(self, node):
        value = node.meta["val"]
        if not isinstance(value, (list, tuple)):
            self._result(node, self.name(node), value)
            return [self.name(node)]
        used = {user.args[1] for user in node.users if user.target is operator.getitem and user in self._wanted}
        outputs = []
        for index, part in enumerate(value):
            outputs.append(self._part(node, index) if index in used else "")
            if index in used:
                self._result(node, outputs[-1], part)
        return outputs
