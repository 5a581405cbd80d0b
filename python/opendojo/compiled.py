"""A graph of a compiled model on the machine: its programs, what stays in them, what its caller gives and gets.

Samples go to the nodes that work at them. Everything else that the graph is given, parameters first of all, stays in
the machine as a state and is written again when it has changed.
"""

import collections
import time

import torch

from opendojo import watch
from opendojo.draws import Draws
from opendojo.graph import VALID, Writer, array_of
from opendojo.known import is_empty
from opendojo.library import BOOL, Program, Refused
from opendojo.sizes import FIRST, Sizes, cut, filled_up, hints_of, sizes_of, symbols_of, value_at


class Places:
    """Where the tensors of a model's graphs hold samples: what its forward graph tells its backward graph."""

    def __init__(self):
        self._saved, self._results = {}, {}

    def guess(self, placeholders, static):
        """For a forward graph, by placeholder. The samples are what most inputs, parameters and buffers apart, hold along
        dimension 0. A wrong guess costs time and no exactness: the machine finds out what it can spread."""
        given = [node for k, node in enumerate(placeholders)
                 if k not in static and isinstance(node.meta["val"], torch.Tensor) and node.meta["val"].dim() > 0]
        varying = [node for node in given if symbols_of(node.meta["val"].shape[0])]
        counts = collections.Counter(str(node.meta["val"].shape[0]) for node in varying or given)
        if not counts:
            return {}
        samples = counts.most_common(1)[0][0]
        return {node: FIRST for node in given if str(node.meta["val"].shape[0]) == samples}

    def keep(self, outputs, descriptions, places):
        """What a forward graph gives: `places` by its node."""
        for node, description in zip(outputs, descriptions):
            if node in places:
                self._saved[node.name] = self._results[description] = places[node]

    def known(self, placeholders):
        """For a backward graph, by placeholder: what the forward graph has saved, and the gradients of its results."""
        known = {}
        for node in placeholders:
            of = getattr(node.meta.get("desc"), "output", None)
            place = self._saved.get(node.name) if of is None else self._results.get(of)
            if place is not None:
                known[node] = place
        return known


class _Variant:
    """The graph as a program for certain sizes. With `capacity`, how many samples it holds, it serves fewer, too."""

    def __init__(self, graph, name, places, sizes, capacity, options):
        self.capacity, self._sizes = capacity, sizes
        self._placeholders = [node for node in graph.graph.nodes if node.op == "placeholder"]
        self._inputs, self._resident = [], []  # places among the placeholders
        writer = Writer(graph, name, sizes=sizes)
        for k, node in enumerate(self._placeholders):
            self._take(k, node, node in places, writer)
        samples = {node.name: place for node, place in places.items() if not is_empty(node)}
        if capacity is not None:
            samples[VALID] = FIRST
            writer.container.input(VALID, BOOL, (capacity, ))
            writer.container.valid(VALID)
        writer.container.samples(samples)
        writer.write()
        self._outputs(graph, writer)
        self._writer = writer
        self._sent = None  # what the machine holds of self._resident
        self.program = Program(writer.container.bytes(), **options) if self._results else None
        self.places = self._places_of_outputs() if self.program else {}
        for node in self._results if capacity is not None else []:
            if sizes.varies(node.meta["val"]) and node not in self.places:
                raise Refused(f"'{node.name}' has a size that depends on the samples, but holds none")

    def draws(self):
        return self._writer.draws()

    def _take(self, k, node, has_samples, writer):
        value = node.meta["val"]
        if not isinstance(value, torch.Tensor) or is_empty(node):
            return
        writer.input(node)
        if has_samples or value.dim() == 0:
            self._inputs.append(k)
        else:
            self._resident.append(k)
            writer.container.resident("state", node.name)

    def _outputs(self, graph, writer):
        """How what the program gives becomes what the graph's caller wants."""
        self._results, self._whence = [], []
        for node in next(node for node in graph.graph.nodes if node.op == "output").args[0]:
            if not isinstance(node, torch.fx.Node):
                self._whence.append(("constant", node))
            elif node.op == "placeholder":
                self._whence.append(("argument", self._placeholders.index(node)))
            elif is_empty(node):
                self._whence.append(("empty", node.meta["val"]))
            elif not isinstance(node.meta["val"], torch.Tensor):
                self._whence.append(("size", node.meta["val"]))
            else:
                if node not in self._results:
                    self._results.append(node)
                    writer.output(node)
                self._whence.append(("result", self._results.index(node)))

    def _places_of_outputs(self):
        nodes = [self._placeholders[k] for k in self._inputs]
        described = [*zip(nodes, self.program.inputs), *zip(self._results, self.program.outputs)]
        return {node: one.samples for node, one in described if one.samples is not None}

    def run(self, given, now, draws):
        """The graph's results for what it is given; `now` are the sizes of that, by symbol."""
        results = [torch.empty([self._sizes.extent(extent) for extent in node.meta["val"].shape],
                               dtype=node.meta["val"].dtype) for node in self._results]
        if self.program is not None:
            self._run(given, now, results, draws)
        shape_now = lambda value: [value_at(extent, now) for extent in value.shape]
        makers = {
            "constant": lambda value: value,
            "argument": lambda k: given[k],
            "empty": lambda value: torch.empty(shape_now(value), dtype=value.dtype),
            "size": lambda value: value_at(value, now),
            "result": lambda k: self._cut(self._results[k], results[k], now),
        }
        return [makers[kind](value) for kind, value in self._whence]

    def _samples(self, now):
        return None if self.capacity is None else now[self._sizes.batch]

    def _cut(self, node, result, now):
        if self.capacity is None or not self._sizes.varies(node.meta["val"]):
            return result
        return cut(result, self.places[node], self._samples(now), self.capacity)

    def _run(self, given, now, results, draws):
        resident = [given[k].detach().contiguous() for k in self._resident]
        if self._sent is None or not all(torch.equal(a, b) for a, b in zip(self._sent, resident)):
            self._sent = None
            self.program.write_states([array_of(value) for value in resident])
            self._sent = [value.clone() for value in resident]
        tensors = [self._filled_up(k, given[k].detach().contiguous(), now) for k in self._inputs]
        if self.capacity is not None:
            tensors.append(torch.arange(self.capacity) < self._samples(now))
        tensors += self._writer.numbers_now(now, draws)
        self.program.run([array_of(value) for value in tensors], [array_of(value) for value in results])
        draws.launch += 1

    def _filled_up(self, k, tensor, now):
        node = self._placeholders[k]
        if self.capacity is None or not self._sizes.varies(node.meta["val"]):
            return tensor
        return filled_up(tensor, self.places[node], self._samples(now), self.capacity)


class CompiledGraph:
    """A graph and its programs.

    A graph of fixed shapes has one program. One whose shapes vary has one for `largest` samples or as many as it was
    traced with, which serves all smaller batches, and another only for a batch that is larger. If its samples cannot be
    spread there is one for every size; that is said.
    """

    def __init__(self, graph, name, places, options, largest=0):
        self.name = name
        self._graph, self._places, self._options, self._largest = graph, places, options, largest
        self._values = [node.meta["val"] for node in graph.graph.nodes if node.op == "placeholder"]
        self._batch = next((symbol for node, place in places.items()
                            for symbol in symbols_of(node.meta["val"].shape[place[0]])), None)
        self._draws = Draws()
        self._variants = []  # (sizes, variant)
        self.places = self._variant(hints_of(self._values)).places

    @property
    def programs(self):
        return [variant.program for _, variant in self._variants if variant.program is not None]

    def _variant(self, now):
        """That serves these sizes."""
        for sizes, variant in self._variants:
            same = all(sizes[symbol] == size for symbol, size in now.items() if symbol != self._batch)
            if same and (sizes.get(self._batch) == now.get(self._batch) or
                         (variant.capacity or 0) >= now.get(self._batch, 0) > 0):
                return variant
        if self._batch in now:
            self._largest = max(self._largest, now[self._batch])
        sizes, variant = self._made(now)
        if variant.draws():
            watch.ledger.say_draws(self.name)
        self._variants.append((sizes, variant))
        return variant

    def _made(self, now):
        if self._batch in now:
            largest = {**now, self._batch: self._largest}
            try:
                return largest, _Variant(self._graph, self.name, self._places, Sizes(largest, self._batch),
                                         self._largest, self._options)
            except Refused as refused:
                variant = _Variant(self._graph, self.name, self._places, Sizes(now), None, self._options)
                watch.ledger.say(f"{self.name}: every batch size is compiled anew: {refused}")
                return now, variant
        return now, _Variant(self._graph, self.name, self._places, Sizes(now), None, self._options)

    def runner(self):
        """A function of the list of what the graph is given, which it empties, to the list of what the graph gives."""

        def run(given):
            return self._run(given)

        run._boxed_call = True
        return run

    def _run(self, given):
        began = time.perf_counter()
        now = sizes_of(self._values, given)
        count = len(self._variants)
        variant = self._variant(now)
        if len(self._variants) > count:
            began = None  # most of the time was the compiler's
        made = variant.run(given, now, self._draws)
        if variant.program is not None:
            watch.ledger.ran(variant.program.costs(), began, time.perf_counter())
        given.clear()
        return made
