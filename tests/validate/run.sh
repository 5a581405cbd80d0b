#!/usr/bin/env bash
# The long runs: PilotNet for eight epochs on real frames, in bf16 and in fp32 formats on the emulated die and in PyTorch, from the
# same weights, on the same split and schedule; the exported network in onnxruntime. Prints one table. About two hours on two cores.
# usage: run.sh DATA_FOLDER [EPOCHS]
set -euo pipefail
cd "$(dirname "$0")/../.."
data=${1:?usage: run.sh DATA_FOLDER [EPOCHS]}
epochs=${2:-8}
out=out/validate
mkdir -p "$out"

if [ ! -x .venv/bin/python ]; then
  python3 -m venv .venv
  .venv/bin/pip install -q numpy torch==2.13.0 onnx onnxruntime
fi
python=.venv/bin/python

build/dojo prepare models/pilotnet.onnx --data "$data" --out "$out/prepared"
$python tests/validate/train_pytorch.py "$out/prepared" models/pilotnet.onnx "$epochs" >"$out/pytorch.json"
for formats in bf16 fp32; do
  build/dojo train models/pilotnet.onnx --data "$data" --epochs "$epochs" --formats "$formats" --out "$out/$formats"
  $python tests/validate/evaluate_onnx.py "$out/$formats/trained.onnx" "$out/prepared" >"$out/$formats-onnxruntime.json"
done

$python - "$out" <<'PYTHON'
import json, pathlib, sys
out = pathlib.Path(sys.argv[1])
load = lambda name: json.loads((out / name).read_text())
print(f"{'run':<28}{'R2':>8}{'frames per CPU-second':>24}")
pytorch = load("pytorch.json")
print(f"{'PyTorch, FP32':<28}{pytorch['r2']:>8.4f}{pytorch['frames_per_cpu_second']:>24.1f}")
for formats in ("bf16", "fp32"):
    run = load(f"{formats}/run.json")
    print(f"{'OpenDojo, ' + formats:<28}{run['validation']['r2']:>8.4f}{run['host']['frames_per_cpu_second']:>24.1f}")
    print(f"{'  exported, onnxruntime':<28}{load(formats + '-onnxruntime.json')['r2']:>8.4f}")
PYTHON
