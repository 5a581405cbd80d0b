"""A training step on the machine: model, loss, gradients and optimizer as one graph, its state resident there."""

import dataclasses

import torch

from opendojo import files
from opendojo.draws import Draws
from opendojo.graph import TYPES, VALID, Writer, array_of
from opendojo.library import BOOL, Program, Refused
from opendojo.optimizer import Leaves, initial_state, parameters_of, swapped
from opendojo.said import Said
from opendojo.sizes import FIRST, Sizes, filled_up, hints_of
from opendojo.trace import trace


class _Variant:
    """The step as a program for certain shapes. With `capacity`, how many samples it holds, it serves fewer, too; the
    arguments at the places `varying` hold them."""

    def __init__(self, program, writer, varying=(), capacity=None, batch=None, guards=()):
        self.program, self.capacity = program, capacity
        self._writer, self._varying, self._batch, self._guards = writer, varying, batch, guards

    def serves(self, samples):
        """Whether it does; what PyTorch has assumed of their number when it traced must hold."""
        if self.capacity is None or not 1 < samples <= self.capacity:
            return False
        return all(guard.subs({self._batch: samples}) == True for guard in self._guards)  # noqa: E712: of sympy

    def inputs(self, rates, arguments, draws):
        if self.capacity is None:
            return rates + arguments + self._writer.numbers_now({}, draws)
        samples = arguments[self._varying[0]].shape[0]
        whole = [filled_up(argument, FIRST, samples, self.capacity) if k in self._varying else argument
                 for k, argument in enumerate(arguments)]
        numbers = self._writer.numbers_now({self._batch: samples}, draws)
        return rates + whole + [torch.arange(self.capacity) < samples] + numbers


class TrainStep:
    """step = TrainStep(model, loss_fn, optimizer); loss = step(x, y), where loss_fn(model(x), y) is the loss.

    The first call traces and compiles, and so does a call with other shapes, or after train() or eval(); the state moves
    along. The second batch size makes a program that serves all that are not larger. A learning rate that changes in
    optimizer.param_groups, by a scheduler or by hand, is taken by the next step. Whatever else changes in the optimizer's
    groups is refused. model and optimizer keep what they had when they were given; state_dict() reads what has become of
    them, to_torch() puts it into them.
    """

    def __init__(self, model, loss_fn, optimizer, machine="d1", formats="fp32", nodes=0, threads=0, seed=None):
        self._model, self._loss_fn, self._optimizer = model, loss_fn, optimizer
        self._where = {"machine": machine, "formats": formats, "nodes": nodes, "threads": threads}
        self._said, self.draws = Said(), Draws(seed)
        self._variants = {}  # by what else makes another program, then by the number of samples
        self._settings = None
        self.from_torch()

    def from_torch(self):
        """Goes on from what the model and the optimizer hold now."""
        self._parameters = dict(self._model.named_parameters())
        self._buffers = dict(self._model.named_buffers())
        for name, value in [*self._parameters.items(), *self._buffers.items()]:
            if value.dtype not in TYPES:
                raise Refused(f"'{name}' holds {value.dtype}; float32, whole numbers and truth values are carried (not "
                              "yet implemented)")
        order = {id(parameter): number for number, parameter in enumerate(parameters_of(self._optimizer))}
        self._names = [""] * len(order)
        for name, parameter in self._parameters.items():
            if id(parameter) in order:
                self._names[order[id(parameter)]] = name
        if "" in self._names:
            raise Refused("the optimizer has parameters that are not the model's (unsupported)")
        self._frozen = [name for name in self._parameters if name not in self._names]
        state, self._has_state = initial_state(self._optimizer)
        self._leaves = Leaves(state)
        self._resident = [value.detach().clone().contiguous() for value in
                          [self._parameters[name] for name in self._names] + list(self._buffers.values()) +
                          [self._parameters[name] for name in self._frozen] + self._leaves.values(state)]
        if self._settings_now() != self._settings:
            self._variants.clear()
        self._settings = self._settings_now()
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
            former = self._leaves.state(state, len(trained))
            begun = former if self._has_state else {}
            with torch.no_grad():
                with swapped(self._optimizer, trained, gradients, begun, list(values[resident:resident + rates])) as new:
                    self._optimizer.step()
                    after = self._leaves.values({n: new[p] if p in new else former[n] for n, p in enumerate(trained)})
            return [loss.detach(), *(value.detach() for value in trained), *buffers, *frozen, *after]

        return step

    def _of_samples(self, arguments):
        """The places of the arguments that hold the samples of a batch: as many as the target has."""
        batch = arguments[-1].shape[:1]
        return tuple(k for k, argument in enumerate(arguments) if batch and argument.shape[:1] == batch)

    def _compiled(self, arguments, capacity=None):
        before = [*self._resident, *self._rates()]
        samples = self._of_samples(arguments)
        varying = [len(before) + k for k in samples] if capacity else []
        graph = trace(self._function(arguments), [*before, *arguments], self._model, varying)
        placeholders = [node for node in graph.graph.nodes if node.op == "placeholder"]
        outputs = next(node for node in graph.graph.nodes if node.op == "output").args[0]
        batch = next(iter(hints_of(node.meta["val"] for node in placeholders)), None)
        guards = graph.meta["guards"]
        if capacity and (batch is None or not all(guard.subs({batch: capacity}) == True for guard in guards)):  # noqa: E712
            raise Refused("the model does otherwise for other numbers of samples")
        names, residents = {}, self._resident_names()
        given = [f"rate.{k}" for k in range(len(self._rates()))] + [f"argument.{k}" for k in range(len(arguments))]
        for node, name in zip(placeholders, [name for _, name in residents] + given):
            names[node] = name
        writer = Writer(graph, "training step", names, Sizes({batch: capacity}, batch) if capacity else None)
        for node in placeholders:
            writer.input(node)
        places = {f"argument.{k}": FIRST for k in samples}
        if capacity:
            places[VALID] = FIRST
            writer.container.input(VALID, BOOL, (capacity, ))
            writer.container.valid(VALID)
        writer.container.samples(places)
        writer.write()
        loss, after = outputs[0], outputs[1:]
        writer.output(loss)
        for (role, name), before, value in zip(residents, placeholders, after):
            kept = value is before
            writer.container.resident(role, name, "" if kept else writer.name(value))
            if not kept:
                writer.output(value)
        program = Program(writer.container.bytes(), **self._where)
        if writer.draws():
            self._said.say_draws("a training step")
        return _Variant(program, writer, samples, capacity, batch, guards) if capacity else _Variant(program, writer)

    def _variant(self, arguments):
        """The program for these arguments, compiled if there is none."""
        samples = self._of_samples(arguments)
        count = arguments[-1].shape[0] if samples else 0
        shapes = [(argument.dtype, tuple(argument.shape[1 if k in samples else 0:])) for k, argument in enumerate(arguments)]
        training = tuple(module.training for module in self._model.modules())
        resident = (tuple(self._resident_names()), repr(self._leaves.constants), self._has_state)
        made = self._variants.setdefault((*shapes, samples, training, resident), {})
        if count not in made:
            serving = [variant for variant in made.values() if variant.serves(count)]
            if serving:
                return serving[0]
            varies = made and count > 1
            made[count] = self._another(arguments, max([count, *made])) if varies else self._compiled(arguments)
        return made[count]

    def _another(self, arguments, capacity):
        """For another number of samples than the first: one that serves all up to `capacity`, if one can."""
        try:
            return self._compiled(arguments, capacity)
        except Refused as refused:
            variant = self._compiled(arguments)
            self._said.say(f"a training step: every batch size is compiled anew: {refused}")
            return variant

    # --- Running ---

    def prepare(self, *arguments):
        """Compiles the program of a step on such a batch, where there is none yet, and does no step."""
        self._variant(self._checked(arguments))

    def _checked(self, arguments):
        if len(arguments) < 2:
            raise Refused("a step takes the model's arguments and then the loss's target")
        if self._settings_now() != self._settings:
            raise Refused("the optimizer's settings have changed since the step was made; only the learning rate may "
                          "(from_torch() takes others)")
        arguments = [argument.detach().contiguous() for argument in arguments]
        for argument in arguments:
            if argument.dtype not in TYPES:
                raise Refused(f"an argument of {argument.dtype}; float32, whole numbers and truth values are carried (not yet implemented)")
        return arguments

    def __call__(self, *arguments):
        """One step on a batch; the loss, as a tensor of one number."""
        arguments = self._checked(arguments)
        variant = self._variant(arguments)
        self._move_to(variant.program)
        loss = torch.zeros(())
        variant.program.run([array_of(value) for value in variant.inputs(self._rates(), arguments, self.draws)],
                            [array_of(loss)])
        self.draws.launch += 1
        self._has_state = True
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

    # --- The way out ---

    def state_dict(self):
        """{"model": as model.state_dict(), "optimizer": as optimizer.state_dict()}, read from the machine, and "draws": the
        seed and the number of steps done, by which random numbers go on."""
        self._read()
        trained, buffers, frozen, state = self._apart([value.clone() for value in self._resident])
        values = dict(zip(self._names, trained)) | dict(zip(self._buffers, buffers)) | dict(zip(self._frozen, frozen))
        model = {name: values[name] for name in self._model.state_dict() if name in values}
        optimizer = self._optimizer.state_dict()
        leaves = self._leaves.state(state, len(self._names)) if self._has_state else {}
        optimizer["state"] = {number: entries for number, entries in leaves.items() if entries}
        return {"model": model, "optimizer": optimizer, "draws": dataclasses.asdict(self.draws)}

    def to_torch(self):
        """Puts what state_dict() gives into the model and the optimizer that the step was made from, and returns these: a
        loop of PyTorch's goes on with them where the machine's ended, and from_torch() brings that back."""
        state = self.state_dict()
        self._model.load_state_dict(state["model"], strict=False)
        self._optimizer.load_state_dict(state["optimizer"])
        return self._model, self._optimizer

    def save(self, path):
        """state_dict() as a safetensors file (the package safetensors writes it)."""
        files.save(path, self.state_dict(), self._names)

    def load(self, path):
        """Goes on from such a file; the model and the optimizer take it, too."""
        state = files.load(path, self._names)
        self._model.load_state_dict(state["model"], strict=False)
        self._optimizer.load_state_dict(state["optimizer"])
        self.draws = Draws(**state["draws"])
        self.from_torch()

    def programs(self):
        """How many have been compiled."""
        return sum(len(made) for made in self._variants.values())

    def report(self):
        """What the last program cost, opendojo.library.Costs, and `said`: what was warned of; None before the first step."""
        if self._current is None:
            return None
        costs = self._current.costs()
        costs.said = self._said.sentences()
        return costs

    def explain(self):
        """What the compiler made of the last program, opendojo.explained.Explanation: op by op how the nodes share it, bytes,
        estimated cycles and why; None before the first step."""
        return None if self._current is None else self._current.explanation()
