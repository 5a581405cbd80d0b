#!/usr/bin/env bash
# Same bits from every build: same_bits.sh [DOJO]. Trains a few steps with DOJO (build/dojo: g++, all that this processor can, one host thread) and with
# the preset `clang` (clang, nothing beyond plain x86-64, two host threads), and ends with an error if weights or cycles differ. A warning of clang's
# is an error, too.
set -euo pipefail
cd "$(dirname "$0")/../.."
ours=${1:-build/dojo}
cmake --preset clang --log-level=WARNING
cmake --build build-clang --target dojo

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests/guards/small_tub.py "$work/tub" 40

# What a run ended with: train COMMAND THREADS FORMATS
train() {
  if ! "$1" train models/pilotnet.onnx --data "$work/tub" --nodes 6 --batch 6 --steps 3 --threads "$2" --formats "$3" --out "$work/out" \
    > "$work/words" 2>&1; then
    cat "$work/words" >&2
    echo "guards: $1 failed to train in $3" >&2
    return 1
  fi
  python3 -c 'import json, sys; run = json.load(open(sys.argv[1])); print(run["weights_sha256"], run["cycles"])' "$work/out/run.json"
  rm -rf "$work/out"
}

for formats in bf16 cfloat8; do
  one=$(train "$ours" 1 $formats)
  other=$(train build-clang/dojo 2 $formats)
  if [ "$one" != "$other" ]; then
    echo "guards: in $formats $ours ended with weights and cycles $one, build-clang/dojo with $other" >&2
    exit 1
  fi
  echo "$formats: weights and cycles $one from both builds"
done
