"""What of a compiled model does not run on the machine: said once in a warning, and again in report().

PyTorch cuts a function that it cannot trace into several graphs, runs what lies between them itself, and gives a
function up that made too many graphs. It tells a back end little of that; what it notes of it elsewhere is read here.
"""

import dataclasses
import logging
import os
import weakref

import torch._dynamo
from torch._dynamo import output_graph
from torch._guards import CompileContext

from opendojo.said import Said

MANY = 4  # graphs of one function: one of fixed shapes, one of a batch that varies, the same for evaluation


@dataclasses.dataclass
class ProgramReport:
    """A program of a compiled model: of which graph, and opendojo.library.Costs."""

    name: str
    costs: object


@dataclasses.dataclass
class Report:
    """Of all compiled models of this process. Seconds of the machine are those of its cycles; seconds outside are those
    that passed here between its runs, compilation apart: loader, loss, clipping, optimizer."""

    programs: list
    machine_seconds: float
    outside_seconds: float
    said: list

    @property
    def outside_share(self):
        """Of a step's time, what was spent outside of the machine; nothing before the second run."""
        seconds = self.machine_seconds + self.outside_seconds
        return self.outside_seconds / seconds if seconds > 0 else None


class Ledger(Said):
    """What has run where."""

    def __init__(self):
        self.reset()

    def reset(self):
        super().__init__()
        self._graphs, self._frames = [], {}
        self._machine = self._outside = 0.0
        self._left_at = None
        self._breaks_seen = len(output_graph.graph_break_reasons)

    def compiling(self, function):
        """PyTorch has a graph of a function, for this back end, at this moment: it takes time that is none of a step's."""
        self._left_at = None
        now = CompileContext.current_compile_id()
        if now is not None and now.frame_id is not None:
            graphs = self._frames.setdefault(now.frame_id, set())
            graphs.add(now.frame_compile_id)
            if len(graphs) == MANY:
                limit = torch._dynamo.config.recompile_limit
                self.say(f"{function} has made {MANY} graphs, each compiled anew; after {limit} PyTorch runs it on the host. "
                         "Numbers that change from call to call make them: give a learning rate as a tensor, "
                         "lr=torch.tensor(0.1)")
        self.see_breaks()

    def see_breaks(self):
        """Graph breaks are noted by PyTorch before the graph in front of them is compiled."""
        reasons = output_graph.graph_break_reasons[self._breaks_seen:]
        self._breaks_seen = len(output_graph.graph_break_reasons)
        for reason in reasons:
            own = [place for place in reason.user_stack or [] if f"{os.sep}torch{os.sep}" not in place.filename]
            place = (own or reason.user_stack or [None])[-1]
            where = f"{place.filename}:{place.lineno}: " if place else ""
            self.say(f"{where}a graph break; what is here runs on the host: {reason.reason.splitlines()[0].strip()}")

    def given_up(self, record):
        """PyTorch's own warning that a function will be compiled no more: kept if it is one of ours."""
        now = CompileContext.current_compile_id()
        if now is None or now.frame_id not in self._frames:
            return
        kind, limit, function, reason = record.args[:4]
        self.say(f"{function} runs on the host from now on: PyTorch has compiled it {limit} times ({kind}) and calls no back "
                 f"end again; last for {reason}. Give a number that changes as a tensor: lr=torch.tensor(0.1)")

    def made(self, graph):
        self._graphs.append(weakref.ref(graph))
        self._left_at = None
        if not graph.programs:
            self.say(f"{graph.name}: an empty graph, of which nothing runs on the machine")

    def ran(self, costs, began, ended):
        """A run from `began`, None if a compiler ran before it, to `ended`."""
        self._machine += costs.cycles / (costs.clock_ghz * 1e9)
        if self._left_at is not None and began is not None:
            self._outside += began - self._left_at
        self._left_at = ended

    def report(self):
        self.see_breaks()
        alive = [graph for graph in (reference() for reference in self._graphs) if graph is not None]
        programs = [ProgramReport(graph.name, program.costs()) for graph in alive for program in graph.programs]
        return Report(programs, self._machine, self._outside, self.sentences())


class _GivenUp(logging.Handler):

    def emit(self, record):
        if "hit config." in str(record.msg):
            ledger.given_up(record)


ledger = Ledger()
logging.getLogger("torch._dynamo.convert_frame").addHandler(_GivenUp())
