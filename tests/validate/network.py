"""PilotNet in PyTorch and the prepared data of `dojo prepare`, for the scripts that compare with PyTorch."""
import json
import pathlib

import numpy
import torch


def pilotnet():
    n = torch.nn
    return n.Sequential(
        n.Conv2d(3, 24, 5, 2), n.ReLU(), n.Conv2d(24, 36, 5, 2), n.ReLU(), n.Conv2d(36, 48, 5, 2), n.ReLU(),
        n.Conv2d(48, 64, 3), n.ReLU(), n.Conv2d(64, 64, 3), n.ReLU(), n.Flatten(),
        n.Linear(1152, 100), n.ReLU(), n.Linear(100, 50), n.ReLU(), n.Linear(50, 10), n.ReLU(), n.Linear(10, 1))


def load_weights(network, path):
    """Starts the network from an ONNX file's initialisers, in the order of its layers."""
    import onnx
    from onnx import numpy_helper
    initialisers = [torch.from_numpy(numpy_helper.to_array(t).copy()) for t in onnx.load(path).graph.initializer
                    if t.data_type == onnx.TensorProto.FLOAT]
    parameters = list(network.parameters())
    assert [tuple(t.shape) for t in initialisers] == [tuple(p.shape) for p in parameters]
    with torch.no_grad():
        for parameter, value in zip(parameters, initialisers):
            parameter.copy_(value)


def prepared(folder):
    """(train inputs, train labels, validation inputs, validation labels) as float32 tensors; see `dojo prepare --help`."""
    folder = pathlib.Path(folder)
    description = json.loads((folder / "prepared.json").read_text())
    shape = description["input_shape"]

    def part(name):
        inputs = numpy.fromfile(folder / f"{name}_inputs.f32", dtype="<f4").reshape(-1, *shape)
        labels = numpy.fromfile(folder / f"{name}_labels.f32", dtype="<f4").reshape(len(inputs), -1)
        return torch.from_numpy(inputs), torch.from_numpy(labels)

    return *part("train"), *part("validation")


def r2(predictions, targets):
    return 1 - float(((predictions - targets) ** 2).sum() / ((targets - targets.mean()) ** 2).sum())
