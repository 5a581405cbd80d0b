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
mkdir -p $seeds/{onnx,machine,elf,instruction,checkpoint,gdb,tub,made}
build-fuzz/tests/fuzz_seeds $seeds
ln -sfn instruction $seeds/translate
cp machines/*.toml $seeds/machine/
# A chain of two, and one without an end.
variant='name = "v"\ndescription = "v"\nextends = "%s"\n'
row='node.simd_cycles = { value = 5, origin = "U", source = "v", fast = 4, slow = 6, range = "v" }\n'
{ printf "$variant$row====\n" 1.toml; printf "${variant}[mesh]\n" d1; } > $seeds/machine/chain
{ printf "$variant====\n" 1.toml; printf "$variant" 0.toml; } > $seeds/machine/ring
for model in /usr/share/libonnx-testdata/data/node/*/model.onnx; do
  [ -f "$model" ] && cp "$model" "$seeds/onnx/$(basename "$(dirname "$model")").onnx"
done
tub_head='["user/angle", "enc/speed"]\n["float", "float"]\n{}\n{}\n{"paths": ["catalog_0.catalog"], "deleted_indexes": [1]}\n====\n'
tub_record='{"_index": %d, "cam/image_array": "0.jpg", "enc/speed": 1.5, "user/angle": %s, "user/throttle": 0.5}'
# A picture of 1 x 1, grey, in PNG; a catalog that half a record, NULs and another number's NaN are in.
{ printf "$tub_head"; printf "$tub_record\n$tub_record\n$tub_record\n====\n" 0 0.25 1 0 2 -1
  printf 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==' | base64 -d; } > $seeds/tub/whole
{ printf "$tub_head"; printf '{"_index": 7, "cam/im'; printf "$tub_record\n\0\0\0\0$tub_record" 0 NaN 1 null; } > $seeds/tub/torn
cat > $seeds/made/small.s <<'END'
.globl _start, tohost
_start: li a7, 64
 li a0, 1
 la a1, tohost
 li a2, 8
 ecall
 vsetvli t0, a0, e32, m4, ta, ma
 vadd.vv v4, v8, v12, v0.t
 vse32.v v4, (sp)
loop: addi a2, a2, -1
 amoadd.w t1, a2, (a1)
 bnez a2, loop
 li a7, 93
 ecall
.data
tohost: .dword 0
END
clang-22 --target=riscv64-unknown-elf -march=rv64gcv -nostdlib -static -fuse-ld=lld-22 -Wl,--image-base=0x1000 -Wl,-z,max-page-size=64 \
  -o $seeds/elf/small.elf $seeds/made/small.s
printf '%s\n' 'qSupported:swbreak+' '?' 'qfThreadInfo' 'Hg2' 'g' 's' 'p20' 'P5=0102030405060708' 'vCont;s:1;c:2' 'X1100,4:abcd' 'k' > $seeds/gdb/step
printf '%s\n' 'QStartNoAckMode' 'Z0,1010,4' 'c' 'z0,1010,4' 'm8000,40' 'M8000,4:01020304' 'Z2,8000,8' 'vCont;c' 'T1' 'D' > $seeds/gdb/points
printf '%s\n' 'qXfer:features:read:target.xml:0,fff' 'qXfer:threads:read::0,100' 'qRcmd,6e6f646573' 'qThreadExtraInfo,5' 'C0b' 'vKill;1' > $seeds/gdb/ask

for fuzzer in "${@:-}"; do [ -n "$fuzzer" ] && chosen+=("build-fuzz/tests/${fuzzer}_fuzz"); done
for program in "${chosen[@]:-build-fuzz/tests/*_fuzz}"; do
  for one in $program; do
    [ -x "$one" ] || continue
    name=$(basename "$one" _fuzz)
    mkdir -p "build-fuzz/corpus/$name"
    echo "== $name"
    # Of libFuzzer's many lines: what it began and ended with, and what it found.
    "$one" -max_total_time="$seconds" -print_final_stats=1 -rss_limit_mb=4096 -timeout=120 \
      -artifact_prefix="build-fuzz/$name-" "build-fuzz/corpus/$name" "$seeds/$name" 2>&1 |
      grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|RELOAD|pulse)|NEW_FUNC|# Uses:|ecommended dictionary|^INFO:'
  done
done
