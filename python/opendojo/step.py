"""A training step on the machine: model, loss, gradients and optimizer as one graph, its state resident there."""

import collections
import copy

import torch

from opendojo.graph import TYPES, Writer, array_of
from opendojo.library import Program, Refused
from opendojo.trace import trace


class _Leaves:
    """The tensors of the optimizer's state in a fixed order: (number of the parameter, name) for each."""

    def __init__(self, state):
        self.keys, self.constants = [], {}
        for number, entries in state.items():
            for name, value in entries.items():
                if isinstance(value, torch.Tensor):
                    self.keys.append((number, name))
                else:
                    self.constants[number, name] = value

    def values(self, state):
        return [state[number][name] for number, name in self.keys]

    def state(self, values, count):
        state = {number: {} for number in range(count)}
        for (number, name), value in [*zip(self.keys, values), *self.constants.items()]:
            state[number][name] = value
        return state


def _parameters_of(optimizer):
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _numbered_state(optimizer, parameters):
    return {number: dict(optimizer.state[parameter]) if parameter in optimizer.state else {}
            for number, parameter in enumerate(parameters)}


class _swapped:
    """Puts other parameters, gradients, state and learning rates into an optimizer for as long as it lasts."""

    def __init__(self, optimizer, parameters, gradients, state, rates):
        self._optimizer, self._parameters, self._gradients = optimizer, parameters, gradients
        self._state, self._rates = state, rates

    def __enter__(self):
        self._groups = [dict(group) for group in self._optimizer.param_groups]
        self._former = self._optimizer.state
        new, at = collections.defaultdict(dict), 0
        for group, rate in zip(self._optimizer.param_groups, self._rates):
            count = len(group["params"])
            group["params"], group["lr"] = self._parameters[at:at + count], rate
            at += count
        for number, (parameter, gradient) in enumerate(zip(self._parameters, self._gradients)):
            parameter.grad = gradient
            if self._state.get(number):
                new[parameter] = dict(self._state[number])
        self._optimizer.state = new
        return new

    def __exit__(self, *raised):
        for group, former in zip(self._optimizer.param_groups, self._groups):
            group.clear()
            group.update(former)
        self._optimizer.state = self._former


def _run_bare(optimizer, parameters, gradients, state):
    """One step of a copy of the optimizer's rule; returns parameters and state after it."""
    parameters = [parameter.detach().clone() for parameter in parameters]
    state = copy.deepcopy(state)
    rates = [group["lr"] for group in optimizer.param_groups]
    with torch.no_grad(), _swapped(optimizer, parameters, gradients, state, rates) as new:
        optimizer.step()
        state = {number: dict(new[parameter]) if parameter in new else {}
                 for number, parameter in enumerate(parameters)}
    return parameters, state


def _zeroed(state):
    return {number: {name: torch.zeros_like(value) if isinstance(value, torch.Tensor) else value
                     for name, value in entries.items()} for number, entries in state.items()}


def _same(left, right):
    return all(torch.equal(a, b) for a, b in zip(left, right))


def initial_state(optimizer, parameters):
    """The state before the first step, which optimizers make in it: zeros, if with them the rule gives what it gives
    without any state."""
    state = _numbered_state(optimizer, parameters)
    if any(state.values()):
        return state
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) for parameter in parameters]
    after, made = _run_bare(optimizer, parameters, gradients, state)
    zeros = _zeroed(made)
    after_zeros, made_from_zeros = _run_bare(optimizer, parameters, gradients, zeros)
    leaves = _Leaves(made)
    if _same(after, after_zeros) and _same(leaves.values(made), leaves.values(made_from_zeros)):
        return zeros
    raise Refused(f"{type(optimizer).__name__}: its first step is not that of a state of zeros; take one step with PyTorch "
                  "first, then it has a state to begin with (not yet implemented)")


class TrainStep:
    """step = TrainStep(model, loss_fn, optimizer); loss = step(x, y), where loss_fn(model(x), y) is the loss.

    The first call traces and compiles; every call with other shapes, or after train() or eval(), does so again, and the
    state moves along. A
    learning rate that changes in optimizer.param_groups, by a scheduler or by hand, is taken by the next step. Whatever
    else changes in the optimizer's groups is refused. model and optimizer keep what they had when they were given;
    state_dict() reads what has become of them, write_back() puts it into them.
    """

    def __init__(self, model, loss_fn, optimizer, machine="d1", formats="fp32", nodes=0, threads=0):
        self._model, self._loss_fn, self._optimizer = model, loss_fn, optimizer
        self._where = {"machine": machine, "formats": formats, "nodes": nodes, "threads": threads}
        self._parameters = dict(model.named_parameters())
        self._buffers = dict(model.named_buffers())
        for name, value in [*self._parameters.items(), *self._buffers.items()]:
            if value.dtype not in TYPES:
                raise Refused(f"'{name}' holds {value.dtype}; float32, whole numbers and truth values are carried (not "
                              "yet implemented)")
        order = {id(parameter): number for number, parameter in enumerate(_parameters_of(optimizer))}
        self._names = [""] * len(order)
        for name, parameter in self._parameters.items():
            if id(parameter) in order:
                self._names[order[id(parameter)]] = name
        if "" in self._names:
            raise Refused("the optimizer has parameters that are not the model's (unsupported)")
        self._frozen = [name for name in self._parameters if name not in self._names]
        state = initial_state(optimizer, _parameters_of(optimizer))
        self._leaves = _Leaves(state)
        self._resident = [value.detach().clone().contiguous() for value in
                          [self._parameters[name] for name in self._names] + list(self._buffers.values()) +
                          [self._parameters[name] for name in self._frozen] + self._leaves.values(state)]
        self._settings = self._settings_now()
        self._programs = {}
        self._current = None

    # --- What is resident, in its order: trained parameters, buffers, frozen parameters, the optimizer's state ---

    def _resident_names(self):
        state = [f"{self._names[number]}.{name}" for number, name in self._leaves.keys]
        names = self._names + list(self._buffers) + self._frozen + state
        return [("parameter" if k < len(self._names) else "state", f"state.{k}.{name}") for k, name in enumerate(names)]

    def _apart(self, values):
        sizes = [len(self._names), len(self._buffers), len(self._frozen), len(self._leaves.keys)]
        parts = []
        for size in sizes:
            parts.append(list(values[:size]))
            values = values[size:]
        return parts

    def _settings_now(self):
        return [{key: value for key, value in group.items() if key not in ("params", "lr", "initial_lr")}
                for group in self._optimizer.param_groups]

    def _rates(self):
        return [torch.tensor(float(group["lr"]), dtype=torch.float32) for group in self._optimizer.param_groups]

    # --- Tracing ---

    def _function(self, arguments):
        """One step on a flat list: what is resident, then rates, then arguments; gives loss and what is resident."""
        rates, resident = len(self._optimizer.param_groups), len(self._resident)

        def step(*values):
            trained, buffers, frozen, state = self._apart(values[:resident])
            trained = [value.detach().requires_grad_(True) for value in trained]
            tensors = dict(zip(self._names, trained)) | dict(zip(self._buffers, buffers)) | dict(zip(self._frozen, frozen))
            given = values[resident + rates:]
            prediction = torch.func.functional_call(self._model, tensors, tuple(given[:-1]))
            loss = self._loss_fn(prediction, given[-1])
            if not isinstance(loss, torch.Tensor) or loss.dim() != 0:
                raise Refused("the loss is no tensor of one number (unsupported)")
            gradients = torch.autograd.grad(loss, trained, allow_unused=True)
            state = self._leaves.state(state, len(trained))
            with torch.no_grad():
                with _swapped(self._optimizer, trained, gradients, state, list(values[resident:resident + rates])) as new:
                    self._optimizer.step()
                    after = self._leaves.values({n: new[p] if p in new else state[n] for n, p in enumerate(trained)})
            return [loss.detach(), *(value.detach() for value in trained), *buffers, *frozen, *after]

        return step

    def _compiled(self, arguments):
        graph = trace(self._function(arguments), [*self._resident, *self._rates(), *arguments], self._model)
        placeholders = [node for node in graph.graph.nodes if node.op == "placeholder"]
        outputs = next(node for node in graph.graph.nodes if node.op == "output").args[0]
        names, residents = {}, self._resident_names()
        rates = len(self._optimizer.param_groups)
        given = [f"rate.{k}" for k in range(rates)] + [f"argument.{k}" for k in range(len(arguments))]
        for node, name in zip(placeholders, [name for _, name in residents] + given):
            names[node] = name
        writer = Writer(graph, "training step", names)
        for node in placeholders:
            writer.input(node)
        writer.container.samples([f"argument.{k}" for k, argument in enumerate(arguments)
                                  if argument.dim() > 0 and argument.shape[0] == arguments[-1].shape[0]]
                                 if arguments[-1].dim() > 0 else [])
        writer.write()
        loss, after = outputs[0], outputs[1:]
        writer.output(loss)
        for (role, name), before, value in zip(residents, placeholders, after):
            kept = value is before
            writer.container.resident(role, name, "" if kept else writer.name(value))
            if not kept:
                writer.output(value)
        return Program(writer.container.bytes(), **self._where)

    # --- Running ---

    def __call__(self, *arguments):
        """One step on a batch; the loss, as a tensor of one number."""
        if len(arguments) < 2:
            raise Refused("a step takes the model's arguments and then the loss's target")
        if self._settings_now() != self._settings:
            raise Refused("the optimizer's settings have changed since the step was made; only the learning rate may")
        arguments = [argument.detach().contiguous() for argument in arguments]
        for argument in arguments:
            if argument.dtype not in TYPES:
                raise Refused(f"an argument of {argument.dtype}; float32, whole numbers and truth values are carried (not yet implemented)")
        # train() and eval() of any module make another program of it.
        key = (*((argument.dtype, tuple(argument.shape)) for argument in arguments),
               tuple(module.training for module in self._model.modules()))
        if key not in self._programs:
            self._programs[key] = self._compiled(arguments)
        program = self._programs[key]
        self._move_to(program)
        loss = torch.zeros(())
        program.run([array_of(value) for value in [*self._rates(), *arguments]], [array_of(loss)])
        return loss

    def _move_to(self, program):
        if self._current is program:
            return
        self._read()
        program.write_states([array_of(value) for value in self._resident])
        self._current = program

    def _read(self):
        if self._current is not None:
            self._current.read_states([array_of(value) for value in self._resident])

    def state_dict(self):
        """{"model": as model.state_dict(), "optimizer": as optimizer.state_dict()}, read from the machine."""
        self._read()
        trained, buffers, frozen, state = self._apart([value.clone() for value in self._resident])
        values = dict(zip(self._names, trained)) | dict(zip(self._buffers, buffers)) | dict(zip(self._frozen, frozen))
        model = {name: values[name] for name in self._model.state_dict() if name in values}
        optimizer = self._optimizer.state_dict()
        optimizer["state"] = {number: entries for number, entries in
                              self._leaves.state(state, len(self._names)).items() if entries}
        return {"model": model, "optimizer": optimizer}

    def write_back(self):
        """Puts what state_dict() gives into the model and the optimizer that the step was made from."""
        state = self.state_dict()
        self._model.load_state_dict(state["model"], strict=False)
        self._optimizer.load_state_dict(state["optimizer"])

    def programs(self):
        """How many have been compiled: one for each set of shapes and of modules in training."""
        return len(self._programs)

    def report(self):
        """What the last program cost: opendojo.library.Costs; None before the first step."""
        return None if self._current is None else self._current.costs()
