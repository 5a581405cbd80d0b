"""Runs an exported network with onnxruntime on the prepared validation set. Prints one JSON line with its R2.

usage: evaluate_onnx.py TRAINED.onnx PREPARED_FOLDER
"""
import json
import sys

import numpy
import onnxruntime
import torch

from network import prepared, r2

_, _, inputs, labels = prepared(sys.argv[2])
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
outputs = [session.run(None, {name: part.numpy()})[0] for part in inputs.split(64)]
predictions = torch.from_numpy(numpy.concatenate(outputs))
print(json.dumps({"r2": r2(predictions, labels[:, :1])}))
