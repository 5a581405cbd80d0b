#!/usr/bin/env bash
# Makes .venv-loops, a Python with the libraries whose loops are tried, and tries them: run.sh [LOOP...]. OPENDOJO_LIBRARY
# names the library that was built.
set -eu
cd "$(dirname "$0")/../.."
packages="torch==2.13.0 accelerate lightning transformers"
if [ "$(cat .venv-loops/complete 2>/dev/null)" != "$packages" ]; then
  tools/setup.sh python3-venv
  python3 -m venv .venv-loops
  .venv-loops/bin/pip install -q $packages
  echo "$packages" >.venv-loops/complete
fi
# As pip install . does it, torch.compile finds the back end by its entry point.
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
mkdir "$found/opendojo-0.1.0.dist-info"
printf 'Metadata-Version: 2.1\nName: opendojo\nVersion: 0.1.0\n' >"$found/opendojo-0.1.0.dist-info/METADATA"
printf '[torch_dynamo_backends]\nopendojo = opendojo.backend:opendojo\n' >"$found/opendojo-0.1.0.dist-info/entry_points.txt"
PYTHONPATH="python:$found" .venv-loops/bin/python -B -W ignore tests/loops/run.py "$@"
