#!/usr/bin/env bash
# The places of a max pool's elements: PyTorch counts them in one channel's image, ONNX in the whole tensor.
#
# torch 2.13.0, torch.nn.functional.max_pool2d(..., return_indices=True); onnx 1.23.2, MaxPool's second output.
# A good guess: both give the place in the image, since both undo a pool (MaxUnpool, max_unpool2d) channel by channel.
# Seen: of a tensor of two channels with 2 x 2 elements, each with its largest element last, PyTorch says 3 and 3, ONNX's
# reference 3 and 7. So ONNX's number grows with the batch: over 32 pictures of 64 x 112 x 112 it passes 2^24, which
# FP32 no longer counts exactly; PyTorch's stays below 12,544.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 onnx==1.23.2 numpy==2.4.6 ml_dtypes==0.6.0
cat > "$folder/places.py" <<'END'
import numpy
import onnx
import torch
from onnx.reference import ReferenceEvaluator

x = numpy.array([[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]], dtype=numpy.float32)
theirs = torch.nn.functional.max_pool2d(torch.from_numpy(x), 2, return_indices=True)[1].flatten().tolist()

info = onnx.helper.make_tensor_value_info
node = onnx.helper.make_node("MaxPool", ["x"], ["y", "at"], kernel_shape=[2, 2], strides=[2, 2])
graph = onnx.helper.make_graph([node], "pool", [info("x", onnx.TensorProto.FLOAT, [1, 2, 2, 2])],
                               [info("y", onnx.TensorProto.FLOAT, None), info("at", onnx.TensorProto.INT64, None)])
model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)
standard = ReferenceEvaluator(model).run(["at"], {"x": x})[0].flatten().tolist()
print("PyTorch", theirs, "- ONNX", standard)
assert theirs == [3, 3], theirs
assert standard == [3, 7], standard
END
"$folder/venv/bin/python" -W ignore "$folder/places.py"
