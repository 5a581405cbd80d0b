#!/usr/bin/env bash
# ATen's native_batch_norm updates the running statistics that its schema says it only reads.
#
# torch 2.13.0.
# A good guess: an operator without an alias annotation on an argument leaves it alone, and what functionalize gives has no
# effects left, so the statistics behind a step are a result of a node.
# Seen: the schema names no mutable argument, and yet both statistics change. The functionalized graph of a function that
# returns them returns its own inputs: whoever compiles what the graph says trains with statistics that stand still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cd "$folder"
cat > step.py <<'END'
import torch
from torch.fx.experimental.proxy_tensor import make_fx

operator = torch.ops.aten.native_batch_norm.default
mutable = [argument.name for argument in operator._schema.arguments if argument.alias_info is not None]


def step(x, mean, variance):
    return operator(x, None, None, mean, variance, True, 0.5, 1e-5)[0], mean, variance


x, mean, variance = torch.tensor([[1.0, 3.0], [3.0, 5.0]]), torch.zeros(2), torch.ones(2)
graph = make_fx(torch.func.functionalize(step))(x, torch.zeros(2), torch.ones(2)).graph
inputs = [node for node in graph.nodes if node.op == "placeholder"]
returned = next(node for node in graph.nodes if node.op == "output").args[0]
kept = [result in inputs for result in returned]
step(x, mean, variance)
print("mutable by the schema:", mutable, "- afterwards:", mean.tolist(), variance.tolist(), "- results that are inputs:", kept)
assert mutable == [] and not operator._schema.is_mutable
assert mean.tolist() == [1.0, 2.0] and variance.tolist() == [1.5, 1.5]
assert kept == [False, True, True]
END
venv/bin/python step.py
