#!/usr/bin/env bash
# Same bits from every build: same_bits.sh [DOJO]. Trains a few steps with DOJO (build/dojo: g++, all that this processor can, one host thread), with
# the preset `clang` (clang, nothing beyond plain x86-64, nothing translated, two host threads) and with that build translating to AVX2, and ends with
# an error if weights or cycles differ. A warning of clang's is an error, too.
set -euo pipefail
cd "$(dirname "$0")/../.."
ours=${1:-build/dojo}
cmake --preset clang --log-level=WARNING
cmake --build build-clang --target dojo

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests/guards/small_tub.py "$work/tub" 40

# What a run ended with: train COMMAND THREADS FORMATS [OPTION...]
train() {
  if ! "$1" train models/pilotnet.onnx --data "$work/tub" --nodes 6 --batch 6 --steps 3 --threads "$2" --formats "$3" --schedule one-cycle --lr 3e-3 --out "$work/out" \
    "${@:4}" > "$work/words" 2>&1; then
    cat "$work/words" >&2
    echo "guards: $1 failed to train in $3" >&2
    return 1
  fi
  python3 -c 'import json, sys; run = json.load(open(sys.argv[1])); print(run["weights_sha256"], run["cycles"])' "$work/out/run.json"
  rm -rf "$work/out"
}

for formats in bf16 cfloat8; do
  one=$(train "$ours" 1 $formats)
  for vectors in none avx2; do
    if [ $vectors = avx2 ] && ! grep -qw avx2 /proc/cpuinfo; then continue; fi
    other=$(train build-clang/dojo 2 $formats --host-vectors $vectors)
    if [ "$one" != "$other" ]; then
      echo "guards: in $formats $ours ended with weights and cycles $one, build-clang/dojo --host-vectors $vectors with $other" >&2
      exit 1
    fi
  done
  echo "$formats: weights and cycles $one from both builds"
done
