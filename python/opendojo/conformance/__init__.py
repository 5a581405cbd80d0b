"""How much of PyTorch the machine does: every entry of PyTorch's own list of operators, `op_db`, tried on it.

    python -m opendojo.conformance --results op_db.jsonl --page docs/op_db.md

A node is an entry with float32, with bfloat16, or with its float32 gradients. It passes when every sample that the entry
gives equals PyTorch's own result, each value computed on the emulated machine.
"""
