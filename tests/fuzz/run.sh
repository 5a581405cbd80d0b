#!/usr/bin/env bash
# Builds the fuzzers and runs each for so many seconds: run.sh [SECONDS [FUZZER...]]. Ends with an error at the first finding, whose input it leaves
# in build-fuzz/. What was interesting is kept in build-fuzz/corpus/ and used again.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
cmake --preset fuzz --log-level=WARNING
cmake --build build-fuzz --target fuzzers

# Good inputs to start from.
seeds=build-fuzz/seeds
mkdir -p $seeds/{onnx,machine,elf,instruction,checkpoint,gdb,empty}
cp machines/*.toml $seeds/machine/
printf 'DOJOCKPT\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0{}abcd' > $seeds/checkpoint/small
for model in /usr/share/libonnx-testdata/data/node/*/model.onnx; do
  [ -f "$model" ] && cp "$model" "$seeds/onnx/$(basename "$(dirname "$model")").onnx"
done
printf '.globl _start, tohost\n_start: li a7, 93\n vsetvli t0, a0, e32, m4, ta, ma\n vadd.vv v4, v8, v12, v0.t\n ecall\n.data\ntohost: .dword 0\n' > $seeds/empty/a.s
clang-22 --target=riscv64-unknown-elf -march=rv64gcv -nostdlib -static -fuse-ld=lld-22 -Wl,-Ttext=0x1000 -Wl,-z,max-page-size=64 \
  -o $seeds/elf/small.elf $seeds/empty/a.s

for fuzzer in "${@:-}"; do [ -n "$fuzzer" ] && chosen+=("build-fuzz/tests/${fuzzer}_fuzz"); done
for program in "${chosen[@]:-build-fuzz/tests/*_fuzz}"; do
  for one in $program; do
    [ -x "$one" ] || continue
    name=$(basename "$one" _fuzz)
    mkdir -p "build-fuzz/corpus/$name"
    echo "== $name"
    "$one" -max_total_time="$seconds" -print_final_stats=1 -rss_limit_mb=4096 -timeout=20 -verbosity=0 \
      -artifact_prefix="build-fuzz/$name-" "build-fuzz/corpus/$name" "$seeds/$name"
  done
done
