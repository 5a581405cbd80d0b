#!/usr/bin/env bash
# The command that generates ONNX's backend tests writes none of the operators' cases.
#
# onnx 1.23.2, onnx.backend.test.cmd_tools.
# A good guess: "generate-data" writes all of the suite: node/, simple/, real/ and the folders beside them, which is how
# Debian's libonnx-testdata 1.12 has them.
# Seen: simple/ and real/ alone. The 1,884 cases of node/ are there in the same package, from another function, and the
# command writes them if it is given them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q onnx==1.23.2 numpy==2.4.6 ml_dtypes==0.6.0
cd "$folder"
venv/bin/python -m onnx.backend.test.cmd_tools generate-data -o data > log 2>&1
cat > count.py <<'END'
import os

from onnx.backend.test.case import node

written = sorted(os.listdir("data"))
cases = node.collect_testcases(None)
print("written:", written, "- cases of nodes in the package:", len(cases))
assert written == ["real", "simple"], written
assert len(cases) == 1884, len(cases)
END
venv/bin/python -W ignore count.py
