"""OpenDojo: PyTorch's networks on an emulated Dojo training machine.

    step = opendojo.train_step(model, loss_fn, optimizer, machine="d1")
    loss = step(x, y)                                   # the whole step, on the machine

    model = torch.compile(model, backend="opendojo")    # forward and backward, on the machine

What cannot run there is refused before any work starts (Refused); nothing falls back to the host.
"""

from opendojo.library import Refused

__all__ = ["Refused", "train_step"]


def train_step(model, loss_fn, optimizer, machine="d1", formats="fp32", nodes=0, threads=0):
    """A training step of `model` on the machine: see opendojo.step.TrainStep."""
    from opendojo.step import TrainStep

    return TrainStep(model, loss_fn, optimizer, machine=machine, formats=formats, nodes=nodes, threads=threads)
