"""Random small networks: drawn by a seed from the rows, as code that can be printed, run and made smaller."""

import dataclasses
import random
import warnings

import torch
from torch import nn
from torch.nn import functional as F

import rows

SAMPLES, CLASSES = 4, 4
MOST_ELEMENTS, MOST_FEATURES, LARGEST = 600, 60, 20.0


def spread(x):
    """x with its elements apart from each other, as far as a ramp over all of them does that."""
    return x + 0.37 * torch.linspace(0, 1, x.numel(), dtype=x.dtype).reshape(x.shape)


@dataclasses.dataclass(frozen=True)
class Made:
    """A value: `expression` of the values `operands`, with a module of its own or none ("")."""

    module: str
    expression: str
    operands: tuple


@dataclasses.dataclass(frozen=True)
class Network:
    """Inputs are values 0, 1..., then come what is made; `heads` are the values that the prediction is made of."""

    seed: int
    inputs: tuple  # of shapes, each with "float" or "tokens"
    made: tuple
    heads: tuple
    target: str
    loss: str
    optimizer: str

    def modules(self):
        return {f"m{k}": one.module for k, one in enumerate(self.made) if one.module}

    def lines(self):
        """The forward pass up to the heads."""
        first = len(self.inputs)
        return [f"v{first + k} = " + one.expression.replace("{m}", f"self.m{k}").format(*(f"v{v}" for v in one.operands))
                for k, one in enumerate(self.made)]

    def measure(self):
        """By which one is smaller than another."""
        plain = (self.optimizer != rows.OPTIMIZERS[0]) + (self.loss != rows.LOSSES[0][1])
        return len(self.made), len(self.heads), plain

    def __str__(self):
        """The network as code; `spread` is above."""
        given = ", ".join(f"v{k}" for k in range(len(self.inputs)))
        heads = ", ".join(f"v{k}" for k in self.heads)
        parts = [f"    self.{name} = {text}" for name, text in self.modules().items()]
        return "\n".join([f"# seed {self.seed}; inputs {self.inputs}; {self.optimizer}; {self.loss}",
                          "def __init__(self): ...", *parts, f"def forward(self, {given}):",
                          *("    " + line for line in self.lines()), f"    return self.head({heads})"])


class Head(nn.Module):
    """Predictions [samples, classes] from values of any shape: what has samples goes through a linear layer, of others the
    mean is added."""

    def __init__(self, values):
        super().__init__()
        self.linear = nn.Linear(sum(self.features(value).shape[1] for value in values), CLASSES)

    @staticmethod
    def features(value):
        if not value.is_floating_point():
            raise TypeError(f"a head of {value.dtype}")
        if value.dim() >= 1 and value.shape[0] == SAMPLES:
            return value.reshape(SAMPLES, -1)[:, :MOST_FEATURES]
        return value.mean().expand(SAMPLES, 1)

    def forward(self, *values):
        return self.linear(torch.cat([self.features(value) for value in values], 1))


class Model(nn.Module):
    """A network as PyTorch runs it, its weights drawn by its seed."""

    def __init__(self, network):
        super().__init__()
        torch.manual_seed(network.seed)
        for name, text in network.modules().items():
            setattr(self, name, eval(text))
        given = ["self", *(f"v{k}" for k in range(len(network.inputs)))]
        names = ", ".join(f"v{k}" for k in network.heads)
        text = "\n    ".join([f"def forward({', '.join(given)}):", *network.lines(), f"return ({names},)"])
        held = {"torch": torch, "nn": nn, "F": F, "spread": spread}
        exec(compile(text, "<network>", "exec"), held)
        self._values = held["forward"]
        with torch.no_grad():
            values = self._values(self, *data(network, 0)[0])
        self.head = Head(values)

    def forward(self, *inputs):
        return self.head(*self._values(self, *inputs))


def data(network, batch):
    """Inputs and the target of a batch."""
    generator = torch.Generator().manual_seed(network.seed * 10 + batch)
    inputs = [torch.randint(0, 7, shape, generator=generator) if kind == "tokens" else
              torch.randn(shape, generator=generator, dtype=torch.float32) for kind, shape in network.inputs]
    if network.target == "class":
        return inputs, torch.randint(0, CLASSES, (SAMPLES, ), generator=generator)
    return inputs, torch.randn(SAMPLES, CLASSES, generator=generator, dtype=torch.float32)


def loss_of(network):
    code = compile(network.loss.replace("{p}", "p").replace("{t}", "t"), "<loss>", "eval")
    return lambda p, t: eval(code, {"torch": torch, "F": F, "p": p, "t": t})


def optimizer_of(network, model):
    return eval(network.optimizer.replace("{w}", "w"), {"torch": torch, "w": list(model.parameters())})


INPUTS = [
    (("float", (SAMPLES, 3, 6, 6)), ),
    (("float", (SAMPLES, 2, 5, 7)), ),
    (("float", (SAMPLES, 5, 4)), ),
    (("float", (SAMPLES, 8)), ),
    (("float", (SAMPLES, 6)), ("float", (SAMPLES, 5, 4))),
    (("float", (SAMPLES, 3, 4, 4)), ("float", (SAMPLES, 4))),
    (("tokens", (SAMPLES, 5)), ),
    (("tokens", (SAMPLES, 4)), ("float", (SAMPLES, 4, 3))),
]


class Drawing:
    """A network while it is drawn: its values so far are there as PyTorch computes them."""

    def __init__(self, seed):
        self.draw, self.seed = random.Random(seed), seed
        self.inputs = self.draw.choice(INPUTS)
        target, loss = self.draw.choice(rows.LOSSES)
        self.network = Network(seed, self.inputs, (), (), target, loss, self.draw.choice(rows.OPTIMIZERS))
        self.values = list(data(self.network, 0)[0])

    def finished(self):
        wanted = self.draw.randrange(5, 14)
        for _ in range(400):
            if len(self.network.made) >= wanted:
                break
            self.try_one()
        used = {operand for made in self.network.made for operand in made.operands}
        heads = tuple(k for k, value in enumerate(self.values)
                      if k >= len(self.inputs) and k not in used and value.is_floating_point())
        return dataclasses.replace(self.network, heads=heads)

    def pick(self):
        """A value, mostly a late one."""
        return max(self.draw.randrange(len(self.values)) for _ in range(self.draw.choice([1, 2, 2])))

    def try_one(self):
        wants, make = self.draw.choice(rows.ROWS)
        operands = tuple(self.pick() for _ in wants)
        given = [self.values[k] for k in operands]
        if not all(want(value) for want, value in zip(wants, given)):
            return
        try:
            made = Made(*make(self.draw, *given), operands)
            value = self.value_of(made)
        except (RuntimeError, ValueError, IndexError, NotImplementedError, TypeError, AssertionError, ZeroDivisionError):
            return  # PyTorch takes no such shapes
        if not isinstance(value, torch.Tensor) or not 0 < value.numel() <= MOST_ELEMENTS or value.dim() > 5:
            return
        if not value.isfinite().all() or value.abs().max() > LARGEST:
            return
        self.network = dataclasses.replace(self.network, made=(*self.network.made, made))
        self.values.append(value)

    def value_of(self, made):
        torch.manual_seed(self.seed)
        module = eval(made.module) if made.module else None
        names = {f"v{k}": self.values[operand] for k, operand in enumerate(made.operands)}
        text = made.expression.replace("{m}", "module").format(*names)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(text, {"torch": torch, "F": F, "spread": spread, "module": module, **names})


def network_of(seed):
    """The network of a seed. One that has nothing to learn from is drawn again."""
    for attempt in range(50):
        drawn = Drawing(seed * 1000 + attempt).finished()
        if drawn.heads:
            return dataclasses.replace(drawn, seed=seed * 1000 + attempt)
    raise ValueError(seed)


def smaller(network):
    """Networks of which each is a step smaller: of one head alone, without a value, with the plainest loss."""
    first = len(network.inputs)
    for head in range(first + len(network.made) - 1, first - 1, -1):
        if network.heads != (head, ):
            yield pruned(dataclasses.replace(network, heads=(head, )))
    for k, one in enumerate(network.made):
        for operand in one.operands:
            yield without(network, first + k, operand)
        if len(one.operands) == 1:
            yield with_input(network, k)
    for head in range(first):
        if network.heads != (head, ):
            yield pruned(dataclasses.replace(network, heads=(head, )))
    if network.optimizer != rows.OPTIMIZERS[0]:
        yield dataclasses.replace(network, optimizer=rows.OPTIMIZERS[0])
    if network.loss != rows.LOSSES[0][1]:
        yield dataclasses.replace(network, target="float", loss=rows.LOSSES[0][1])


def without(network, value, instead):
    """Who used `value` uses `instead`."""
    other = lambda v: instead if v == value else v
    made = tuple(dataclasses.replace(one, operands=tuple(map(other, one.operands))) for one in network.made)
    return pruned(dataclasses.replace(network, made=made, heads=tuple(dict.fromkeys(map(other, network.heads)))))


def with_input(network, k):
    """An input of the operand's shape in place of all that led to it."""
    first = len(network.inputs)
    operand = network.made[k].operands[0]
    if operand < first:
        return network
    with torch.no_grad():
        model = Model(dataclasses.replace(network, heads=(operand, )))
        value, = model._values(model, *data(network, 0)[0])
    if not value.is_floating_point():
        return network
    shift = lambda v: v if v < first else v + 1
    made = [dataclasses.replace(one, operands=tuple(map(shift, one.operands))) for one in network.made]
    made[k] = dataclasses.replace(made[k], operands=(first, ))
    inputs = (*network.inputs, ("float", tuple(value.shape)))
    return pruned(dataclasses.replace(network, inputs=inputs, made=tuple(made), heads=tuple(map(shift, network.heads))))


def pruned(network):
    """Without values that no head needs."""
    first = len(network.inputs)
    needed = set(network.heads)
    for k in range(len(network.made) - 1, -1, -1):
        if first + k in needed:
            needed |= set(network.made[k].operands)
    inputs = [k for k in range(first) if k in needed] or [0]
    kept = [k for k in range(len(network.made)) if first + k in needed]
    place = {old: new for new, old in enumerate([*inputs, *(first + k for k in kept)])}
    made = tuple(dataclasses.replace(network.made[k], operands=tuple(place[v] for v in network.made[k].operands)) for k in kept)
    return dataclasses.replace(network, inputs=tuple(network.inputs[k] for k in inputs), made=made,
                               heads=tuple(place[v] for v in network.heads))
