#!/usr/bin/env bash
# PyTorch's ONNX exporter makes one parameter of two that happen to be equal.
#
# torch 2.13.0 with onnxscript 0.7.2, torch.onnx.export(dynamo=True), its default.
# A good guess: every nn.Parameter of the module becomes an initialiser of its own, as in state_dict().
# Seen: initialisers of equal value and at most 1,024 elements are written once, so two fresh LayerNorms of one width
# share scale and shift, and whoever trains the file trains two modules as one. With 1,025 elements they stay
# apart. optimize=False keeps all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy onnx==1.23.2 onnxscript==0.7.2 onnx-ir==1.1.0
cd "$folder"
cat > export.py <<'END'
import onnx
import torch


def initialisers(width, **options):
    net = torch.nn.Sequential(torch.nn.LayerNorm(width), torch.nn.ReLU(), torch.nn.LayerNorm(width)).train()
    torch.onnx.export(net, (torch.rand(2, width),), "net.onnx", dynamo=True, verbose=False, **options)
    return sorted(tensor.name for tensor in onnx.load("net.onnx").graph.initializer)


merged, wide, kept = initialisers(1024), initialisers(1025), initialisers(1024, optimize=False)
print("1024 wide:", merged)
print("1025 wide:", wide)
print("1024 wide, optimize=False:", kept)
assert merged == ["0.bias", "0.weight"], merged
assert wide == ["0.bias", "0.weight", "2.bias", "2.weight"], wide
assert kept == wide, kept
END
venv/bin/python export.py
