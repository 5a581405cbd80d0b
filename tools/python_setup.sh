#!/usr/bin/env bash
# Makes .venv, the Python with PyTorch and onnxruntime that the comparisons use (expecttest: PyTorch's own list of
# operators asks for it). Does nothing when it is there.
set -eu
cd "$(dirname "$0")/.."
packages="numpy torch==2.13.0 onnx onnxruntime expecttest safetensors"
[ "$(cat .venv/complete 2>/dev/null)" = "$packages" ] && exit 0
tools/setup.sh python3-venv
python3 -m venv .venv
.venv/bin/pip install -q $packages
echo "$packages" >.venv/complete
