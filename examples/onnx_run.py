"""A network from an ONNX file on the machine: make dojo, then python3 examples/onnx_run.py build/dojo (NumPy is all it needs)"""
import subprocess
import sys
import tempfile

import numpy

with tempfile.TemporaryDirectory() as folder:
    images = numpy.random.default_rng(0).random((2, 3, 33, 100), dtype=numpy.float32)
    numpy.savez(f"{folder}/inputs.npz", image=images)
    subprocess.run([sys.argv[1], "run", "models/resnet_small.onnx", "--inputs", f"{folder}/inputs.npz", "--machine", "test6",
                    "--out", f"{folder}/outputs.npz"], check=True)
    for name, values in numpy.load(f"{folder}/outputs.npz").items():
        print(f"{name}: {values.shape}, {values.mean():+.4f} on average")
