"""A training state as a safetensors file, by the package of that name: `model.NAME` and `optimizer.NAME.ENTRY` are its
tensors, its metadata hold the rest of the optimizer's state as JSON."""

import json

import torch

from opendojo.library import Refused


def _package():
    try:
        import safetensors.torch
    except ImportError as error:
        raise Refused("safetensors files need the package of that name: pip install safetensors") from error
    return safetensors


def save(path, state, names):
    """`state` as TrainStep.state_dict() gives it; `names` are those of the optimizer's parameters, in its order."""
    package = _package()
    tensors = {f"model.{name}": value for name, value in state["model"].items()}
    rest = {"param_groups": [{**group, "lr": float(group["lr"])} for group in state["optimizer"]["param_groups"]],
            "state": {}, "draws": state["draws"]}
    for number, entries in state["optimizer"]["state"].items():
        for entry, value in entries.items():
            if isinstance(value, torch.Tensor):
                tensors[f"optimizer.{names[number]}.{entry}"] = value
            else:
                rest["state"].setdefault(str(number), {})[entry] = value
    # Tensors that share memory have one name each in such a file.
    tensors = {name: value.clone().contiguous() for name, value in tensors.items()}
    package.torch.save_file(tensors, path, {"format": "pt", "opendojo": json.dumps(rest)})


def load(path, names):
    """What save() was given."""
    package = _package()
    with package.safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if "opendojo" not in metadata:
        raise Refused(f"{path}: holds no training state of opendojo's; weights alone go into the model by PyTorch's "
                      "load_state_dict")
    rest = json.loads(metadata["opendojo"])
    optimizer = {"param_groups": rest["param_groups"],
                 "state": {int(number): dict(entries) for number, entries in rest["state"].items()}}
    model = {}
    numbers = {name: number for number, name in enumerate(names)}
    for key, value in tensors.items():
        part, name = key.split(".", 1)
        if part == "model":
            model[name] = value
            continue
        parameter, entry = name.rsplit(".", 1)
        if parameter not in numbers:
            raise Refused(f"{path}: holds the optimizer's state of '{parameter}', which it does not train here")
        optimizer["state"].setdefault(numbers[parameter], {})[entry] = value
    return {"model": model, "optimizer": optimizer, "draws": rest["draws"]}
