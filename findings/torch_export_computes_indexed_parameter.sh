#!/usr/bin/env bash
# PyTorch's ONNX exporter leaves out a parameter of which only elements are read.
#
# torch 2.13.0 with onnxscript 0.7.2, torch.onnx.export(dynamo=True), its default, of a module in training mode.
# A good guess: w, a parameter of two fusion weights read as w[0] and w[1], is an initialiser of two numbers, with a
# Gather or Slice for each reading, as it is in the older exporter's files.
# Seen: w is gone; its elements are two initialisers without dimensions, "select" and "select_1". Who trains the file's
# initialisers and takes numbers without dimensions for constants never trains w, and whoever reads the trained
# file back into the module finds no w. optimize=False keeps w.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy onnx==1.23.2 onnxscript==0.7.2 onnx-ir==1.1.0
cd "$folder"
cat > export.py <<'END'
import onnx
import torch


class Fusion(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor([0.6, 0.4]))
        self.first = torch.nn.Linear(4, 4)

    def forward(self, x):
        return self.w[0] * self.first(x) + self.w[1] * x


def initialisers(**options):
    torch.onnx.export(Fusion().train(), (torch.rand(2, 4),), "net.onnx", dynamo=True, verbose=False, **options)
    return {tensor.name: list(tensor.dims) for tensor in onnx.load("net.onnx").graph.initializer}


computed, kept = initialisers(), initialisers(optimize=False)
print("by default:", computed)
print("optimize=False:", kept)
assert "w" not in computed, computed
assert computed["select"] == computed["select_1"] == [], computed
assert kept["w"] == [2], kept
END
venv/bin/python export.py
