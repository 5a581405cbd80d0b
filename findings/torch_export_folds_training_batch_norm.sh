#!/usr/bin/env bash
# PyTorch's ONNX exporter computes batch norms into convolutions even of a module in training mode.
#
# torch 2.13.0 with onnxscript 0.7.2, torch.onnx.export(dynamo=True), its default.
# A good guess: net.train() before the export keeps BatchNormalization nodes, with training_mode = 1.
# Seen: the exported file has no BatchNormalization at all; scale, shift and running statistics are multiplied
# into the convolution's weight. With optimize=False the node stays, but says training_mode = 0.
# The older exporter (dynamo=False, TrainingMode.TRAINING) writes training_mode = 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy onnx==1.23.2 onnxscript==0.7.2 onnx-ir==1.1.0
cd "$folder"
cat > export.py <<'END'
import onnx
import torch


def norms(**options):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU()).train()
    torch.onnx.export(net, (torch.rand(2, 3, 8, 8),), "net.onnx", **options)
    nodes = [node for node in onnx.load("net.onnx").graph.node if node.op_type == "BatchNormalization"]
    return [max((a.i for a in node.attribute if a.name == "training_mode"), default=0) for node in nodes]


default = norms(dynamo=True, verbose=False)
raw = norms(dynamo=True, verbose=False, optimize=False)
old = norms(dynamo=False, training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)
print("training_mode of each BatchNormalization: default", default, "optimize=False", raw, "older exporter", old)
assert default == [], default
assert raw == [0], raw
assert old == [1], old
END
venv/bin/python export.py
