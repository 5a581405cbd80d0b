"""Do the examples run as they are?"""

import contextlib
import io
import pathlib
import runpy
import unittest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


class Examples(unittest.TestCase):

    def test_a_step_of_pytorchs_learns_its_batch(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            runpy.run_path(str(EXAMPLES / "pytorch_step.py"))
        self.assertRegex(said.getvalue(), r"^loss 0\.\d{3} after 20 steps, \d+ cycles of the machine a step\n$")


if __name__ == "__main__":
    unittest.main()
