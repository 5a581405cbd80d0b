#!/usr/bin/env bash
# PilotNet's training step here and in PyTorch, side by side in one run: frames per CPU-second, two threads, batch 354, cycle timing on.
# usage: run.sh DATA_FOLDER [STEPS]
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?usage: run.sh DATA_FOLDER [STEPS]}
steps=${2:-6}
out=out/bench
mkdir -p "$out"
tools/python_setup.sh
build/dojo train models/pilotnet.onnx --data "$data" --steps "$steps" --threads 2 --out "$out" >/dev/null
here=$(python3 -c "import json; print(json.load(open('$out/run.json'))['host']['frames_per_cpu_second'])")
there=$(.venv/bin/python bench/pytorch_step.py 12)
python3 -c "print(f'OpenDojo {$here:.1f}, PyTorch {$there:.1f} frames per CPU-second: 1/{$there / $here:.1f}')"
