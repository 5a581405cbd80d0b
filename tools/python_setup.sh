#!/usr/bin/env bash
# Makes .venv, the Python with PyTorch and onnxruntime that the comparisons use. Does nothing when it is there.
set -eu
cd "$(dirname "$0")/.."
[ -e .venv/complete ] && exit 0
tools/setup.sh python3-venv
python3 -m venv .venv
.venv/bin/pip install -q numpy torch==2.13.0 onnx onnxruntime
touch .venv/complete
