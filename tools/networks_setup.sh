#!/usr/bin/env bash
# Makes .venv-networks, the Python with the packages whose networks bench/networks tries. Does nothing when it is there.
set -eu
cd "$(dirname "$0")/.."
packages="numpy torch==2.13.0 torchvision timm transformers"
[ "$(cat .venv-networks/complete 2>/dev/null)" = "$packages" ] && exit 0
tools/setup.sh python3-venv
python3 -m venv .venv-networks
.venv-networks/bin/pip install -q $packages
echo "$packages" >.venv-networks/complete
