#!/usr/bin/env bash
# Builds the fuzzers and runs each for so many seconds: run.sh [SECONDS [FUZZER...]]. Ends with an error at the first finding, whose input it leaves
# in build-fuzz/. What was interesting is kept in build-fuzz/corpus/ and used again.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
cmake --preset fuzz --log-level=WARNING
cmake --build build-fuzz --target fuzzers

# Good inputs to start from: seeds/FUZZER/ and what is made here.
seeds=build-fuzz/seeds
mkdir -p $seeds/{onnx,machine,elf,instruction,checkpoint,api}
cp -r tests/fuzz/seeds/. $seeds/
build-fuzz/tests/fuzz_seeds $seeds
ln -sfn instruction $seeds/translate
cp machines/*.toml $seeds/machine/
for model in /usr/share/libonnx-testdata/data/node/*/model.onnx; do
  [ -f "$model" ] && cp "$model" "$seeds/onnx/$(basename "$(dirname "$model")").onnx"
done
for container in build/random/*.container; do  # that make random has kept
  [ -f "$container" ] && head -c 4 /dev/zero | cat - "$container" >"$seeds/api/$(basename "$container")"
done
clang-22 --target=riscv64-unknown-elf -march=rv64gcv -nostdlib -static -fuse-ld=lld-22 -Wl,--image-base=0x1000 -Wl,-z,max-page-size=64 \
  -o $seeds/elf/small.elf tests/fuzz/small.s

for fuzzer in "${@:-}"; do [ -n "$fuzzer" ] && chosen+=("build-fuzz/tests/${fuzzer}_fuzz"); done
for program in "${chosen[@]:-build-fuzz/tests/*_fuzz}"; do
  for one in $program; do
    [ -x "$one" ] || continue
    name=$(basename "$one" _fuzz)
    mkdir -p "build-fuzz/corpus/$name" "$seeds/$name"
    echo "== $name"
    # Of libFuzzer's many lines: what it began and ended with, and what it found.
    "$one" -max_total_time="$seconds" -print_final_stats=1 -rss_limit_mb=4096 -timeout=120 \
      -artifact_prefix="build-fuzz/$name-" "build-fuzz/corpus/$name" "$seeds/$name" 2>&1 |
      grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|RELOAD|pulse)|NEW_FUNC|# Uses:|ecommended dictionary|^INFO:'
  done
done
