"""OpenDojo: PyTorch's networks on an emulated Dojo training machine.

    step = opendojo.train_step(model, loss_fn, optimizer, machine="d1")
    loss = step(x, y)                                   # the whole step, on the machine

    model = torch.compile(model, backend="opendojo")    # forward and backward, on the machine

What cannot run there is refused before any work starts (Refused); nothing falls back to the host.
"""

from opendojo.library import Refused

__all__ = ["Refused", "compare", "from_torch", "report", "train_step"]


def report():
    """What ran where of all compiled models of this process: see opendojo.watch.Report."""
    from opendojo.watch import ledger

    return ledger.report()


def compare(model, *arguments, bound=1e-3, machine="d1", formats="fp32", nodes=0, threads=0):
    """The first tensor of model(*arguments) that departs from PyTorch's: see opendojo.departure.compare."""
    from opendojo.departure import compare

    return compare(model, *arguments, bound=bound, machine=machine, formats=formats, nodes=nodes, threads=threads)


def from_torch(step):
    """A training step goes on from what its model and optimizer hold now."""
    step.from_torch()
    return step


def train_step(model, loss_fn, optimizer, machine="d1", formats="fp32", nodes=0, threads=0, seed=None):
    """A training step of `model` on the machine: see opendojo.step.TrainStep."""
    from opendojo.step import TrainStep
    from opendojo.versions import try_another

    try_another()
    return TrainStep(model, loss_fn, optimizer, machine=machine, formats=formats, nodes=nodes, threads=threads, seed=seed)
