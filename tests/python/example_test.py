"""Do the examples run as they are?"""

import contextlib
import io
import os
import pathlib
import runpy
import sys
import unittest
from unittest import mock

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Examples(unittest.TestCase):

    def said_by(self, name, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.chdir(ROOT), mock.patch.object(sys, "argv", [name, *arguments]):
            runpy.run_path(str(ROOT / "examples" / name))
        return said.getvalue()

    def test_a_step_of_pytorchs_learns_its_batch(self):
        self.assertRegex(self.said_by("pytorch_step.py"), r"^loss 0\.\d{3} after 20 steps, \d+ cycles of the machine a step\n$")

    def test_a_loop_of_pytorchs_is_compiled(self):
        if "opendojo" not in torch._dynamo.list_backends():  # as in a clone, where pip has entered no name
            from opendojo.backend import opendojo
            torch._dynamo.register_backend(opendojo)
        self.assertRegex(self.said_by("pytorch_compile.py"),
                         r"^loss [01]\.\d{3}, 4 programs, \d+% of a step outside of the machine\n$")

    def test_a_network_from_an_onnx_file_is_run(self):
        command = pathlib.Path(os.environ["OPENDOJO_LIBRARY"]).parent / "dojo"
        self.assertRegex(self.said_by("onnx_run.py", str(command)), r"angle: \(2, \d+\), [+-]\d\.\d{4} on average\n$")


if __name__ == "__main__":
    unittest.main()
