#!/usr/bin/env bash
# The long runs: PilotNet for eight epochs on real frames, in bf16, cfloat8 and fp32 formats on the emulated die and in PyTorch, from
# the same weights, on the same split and schedule; the exported networks in onnxruntime. Prints a table and judges it (judge.py). About two
# hours on two cores; what this commit has done already is not done again, and a run that was cut off goes on.
# usage: run.sh DATA_FOLDER [EPOCHS]
set -euo pipefail
cd "$(dirname "$0")/../.."
data=${1:?usage: run.sh DATA_FOLDER [EPOCHS]}
epochs=${2:-8}
out=out/validate/$(git describe --always --dirty)  # figures belong to a commit
mkdir -p "$out"

tools/python_setup.sh
python=.venv/bin/python

# Trains in the given formats, from the checkpoint where there is one.
train() {
  if [ -e "$out/$1/checkpoint.dojo" ]; then
    build/dojo train models/pilotnet.onnx --data "$data" --epochs "$epochs" --formats "$1" --resume "$out/$1"
  else
    build/dojo train models/pilotnet.onnx --data "$data" --epochs "$epochs" --formats "$1" --out "$out/$1"
  fi
}

[ -e "$out/prepared/prepared.json" ] || build/dojo prepare models/pilotnet.onnx --data "$data" --out "$out/prepared"
[ -s "$out/pytorch.json" ] || $python tests/validate/train_pytorch.py "$out/prepared" models/pilotnet.onnx "$epochs" >"$out/pytorch.json"
for formats in bf16 cfloat8 fp32; do
  [ -e "$out/$formats/run.json" ] || train "$formats"
  $python tests/validate/evaluate_onnx.py "$out/$formats/trained.onnx" "$out/prepared" >"$out/$formats-onnxruntime.json"
done
$python tests/validate/judge.py "$out"
