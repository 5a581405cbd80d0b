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
  if ! "$1" train models/pilotnet.onnx --nodes 6 --batch 6 --steps 3 --threads "$2" --formats "$3" --out "$work/out" \
    "${@:4}" > "$work/words" 2>&1; then
    cat "$work/words" >&2
    echo "guards: $1 failed to train in $3" >&2
    return 1
  fi
  python3 -c 'import json, sys; run = json.load(open(sys.argv[1])); print(run["weights_sha256"], run["cycles"])' "$work/out/run.json"
  rm -rf "$work/out"
}

# expect_same RUN ONE OTHER-COMMAND OTHER
expect_same() {
  [ "$2" = "$4" ] && return
  echo "guards: $1: $ours ended with weights and cycles $2, $3 with $4" >&2
  exit 1
}

for formats in bf16 cfloat8; do
  recipe=(--data "$work/tub" --schedule one-cycle --lr 3e-3)
  one=$(train "$ours" 1 $formats "${recipe[@]}")
  for vectors in none avx2; do
    if [ $vectors = avx2 ] && ! grep -qw avx2 /proc/cpuinfo; then continue; fi
    other=$(train build-clang/dojo 2 $formats "${recipe[@]}" --host-vectors $vectors)
    expect_same "in $formats" "$one" "build-clang/dojo --host-vectors $vectors" "$other"
  done
  echo "$formats: weights and cycles $one from both builds"
done

# Rendered frames and the default schedule: sines and exponentials of this computer's C library.
one=$(train "$ours" 1 bf16 --drives 2)
other=$(train build-clang/dojo 2 bf16 --drives 2 --host-vectors none)
expect_same "with rendered drives" "$one" build-clang/dojo "$other"

# The library has other ones for processors without FMA, whose last bits differ: none may reach a weight.
without_fma=glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2
sines() { python3 -c 'import math; print([math.sin(k / 7) for k in range(20000)])'; }
if grep -qw fma /proc/cpuinfo; then
  if [ "$(sines)" = "$(GLIBC_TUNABLES=$without_fma sines)" ]; then
    echo "guards: GLIBC_TUNABLES=$without_fma changes nothing here, so nothing was compared" >&2
    exit 1
  fi
  other=$(GLIBC_TUNABLES=$without_fma train "$ours" 1 bf16 --drives 2)
  expect_same "with rendered drives" "$one" "the same without FMA in the C library" "$other"
fi
echo "rendered drives: weights and cycles $one from both builds, with and without FMA in the C library"
