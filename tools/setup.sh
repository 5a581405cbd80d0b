#!/usr/bin/env bash
# Installs what a Debian 12 machine lacks to build and test OpenDojo, and the packages named as arguments. Does nothing when all is there.
set -eu
packages=(
  build-essential cmake ninja-build pkg-config ccache python3 python3-numpy
  clang-22 lld-22 llvm-22 clang-format-22 clang-tidy-22 libclang-rt-22-dev
  libfmt-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libssl-dev zlib1g-dev
  libgtest-dev libbenchmark-dev
  libavcodec-dev libavutil-dev
  qemu-user gdb-multiarch groff-base libonnx-testdata
  picolibc-riscv64-unknown-elf
  "$@"
)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: needs root to install: ${missing[*]}" >&2; exit 2; }
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -q --no-install-recommends "${missing[@]}"
