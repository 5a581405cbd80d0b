"""An optimizer of PyTorch's as a rule on other tensors: its state in a fixed order, and what that is before a step."""

import collections
import copy
import itertools

import torch

MOST_KINDS = 6  # of entries in a state, each tried as zeros and as ones


class Leaves:
    """The tensors of an optimizer's state in a fixed order: (number of the parameter, name) for each."""

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


def parameters_of(optimizer):
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def state_of(optimizer):
    """By number of the parameter."""
    return {number: dict(optimizer.state[parameter]) if parameter in optimizer.state else {}
            for number, parameter in enumerate(parameters_of(optimizer))}


class swapped:
    """Puts other parameters, gradients, state and learning rates into an optimizer for as long as it lasts; gives the
    state by parameter. A parameter without state is one that takes its first step."""

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


def _after_a_step(optimizer, state):
    """Parameters and state after a step of copies, on gradients that are always the same."""
    generator = torch.Generator().manual_seed(0)
    parameters = [parameter.detach().clone() for parameter in parameters_of(optimizer)]
    gradients = [torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) for parameter in parameters]
    rates = [group["lr"] for group in optimizer.param_groups]
    with torch.no_grad(), swapped(optimizer, parameters, gradients, copy.deepcopy(state), rates) as new:
        optimizer.step()
        after = {number: dict(new[parameter]) if parameter in new else {} for number, parameter in enumerate(parameters)}
    return parameters, after


def initial_state(optimizer):
    """The state that an optimizer begins with, and whether its first step is that of this state.

    Optimizers make their state in their first step, most as if it had been zeros or ones before; where no such state gives
    the bits of that first step, it is a step of its own kind.
    """
    state = state_of(optimizer)
    if any(state.values()):
        return state, True
    parameters, made = _after_a_step(optimizer, state)
    leaves = Leaves(made)
    wanted = parameters + leaves.values(made)
    names = sorted({name for _, name in leaves.keys})
    for values in itertools.product((0, 1), repeat=len(names) if len(names) <= MOST_KINDS else 0):
        begun = {number: {name: torch.full_like(value, dict(zip(names, values)).get(name, 0))
                          if isinstance(value, torch.Tensor) else value for name, value in entries.items()}
                 for number, entries in made.items()}
        parameters, after = _after_a_step(optimizer, begun)
        if all(torch.equal(a, b) for a, b in zip(parameters + leaves.values(after), wanted)):
            return begun, True
    zeros = {number: {name: torch.zeros_like(value) if isinstance(value, torch.Tensor) else value
                      for name, value in entries.items()} for number, entries in made.items()}
    return zeros, False
