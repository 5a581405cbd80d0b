#!/usr/bin/env bash
# PyTorch's ONNX exporter can give a buffer and a computed value one name, so that the file is no valid ONNX.
#
# torch 2.13.0 with onnxscript 0.7.2, torch.onnx.export(dynamo=True, optimize=False).
# A good guess: names are made unique, with or without the optimiser.
# Seen: with optimize=False a module that has a buffer `mean` and calls .mean() is written with an initialiser and a
# ReduceMean result that are both called `mean`; onnx.checker refuses the file. With the default, optimize=True, the
# result becomes `mean_1`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy onnx==1.23.2 onnxscript==0.7.2 onnx-ir==1.1.0
cd "$folder"
cat > export.py <<'END'
import onnx
import torch


class Normalised(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.rand(1, 3, 1, 1))

    def forward(self, x):
        return (x - self.mean).mean((2, 3))


def names(**options):
    torch.onnx.export(Normalised().eval(), (torch.rand(2, 3, 8, 8),), "net.onnx", dynamo=True, verbose=False, **options)
    model = onnx.load("net.onnx")
    try:
        onnx.checker.check_model(model)
        verdict = "valid"
    except onnx.checker.ValidationError:
        verdict = "refused"
    made = [name for node in model.graph.node for name in node.output]
    return verdict, sorted({tensor.name for tensor in model.graph.initializer} & set(made))


default, raw = names(), names(optimize=False)
print("default:", default, "optimize=False:", raw)
assert default == ("valid", []), default
assert raw == ("refused", ["mean"]), raw
END
venv/bin/python export.py
