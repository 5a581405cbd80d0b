"""Another PyTorch than the one that this package is tested with: tried, and warned of."""

import warnings

import torch

TESTED = "2.13.0"

_tried = False


def _trial():
    """A step and a compiled model of a few numbers against PyTorch's own: what departs, as a sentence, or None."""
    from opendojo.backend import opendojo
    from opendojo.step import TrainStep

    where = {"machine": "test6", "nodes": 1}
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(4, 3, generator=generator), torch.randn(4, 2, generator=generator)
    model = torch.nn.Linear(3, 2)
    wanted = torch.nn.functional.mse_loss(model(x), y)
    step = TrainStep(model, torch.nn.functional.mse_loss, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), **where)
    if not torch.allclose(step(x, y), wanted, rtol=1e-4):
        return "a training step gives another loss"
    compiled = torch.compile(model, backend=opendojo, options=where, dynamic=False)
    torch.nn.functional.mse_loss(compiled(x), y).backward()
    gradient = model.weight.grad.clone()
    model.zero_grad()
    wanted.backward()
    return None if torch.allclose(gradient, model.weight.grad, rtol=1e-4) else "a compiled model gives another gradient"


def try_another():
    """Once in a process, before anything is traced: with another PyTorch than TESTED a trial of a second or two."""
    global _tried
    if _tried or torch.__version__.split("+")[0] == TESTED:
        return
    _tried = True
    try:
        failed = _trial()
    except Exception as error:  # whatever another PyTorch brings
        failed = f"{type(error).__name__}: {error}"
    said = "a trial gave what PyTorch gives" if failed is None else f"a trial failed: {failed}"
    warnings.warn(f"this package is tested with torch {TESTED}; of {torch.__version__} {said}", UserWarning, stacklevel=3)
