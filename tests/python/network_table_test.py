"""Does the command over architectures train what it can, say what it cannot, and go on where it was?"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parents[2] / "bench" / "networks"
sys.path.insert(0, str(FOLDER))
from report import page
from row import Row, pictures
from trial import tried


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, 10))


class Doubled(nn.Module):
    """Twice as much as what is traced."""

    def __init__(self):
        super().__init__()
        self.inner = perceptron()

    def forward(self, x):
        traced = isinstance(x, torch._subclasses.FakeTensor) or torch._C._len_torch_dispatch_stack() > 0
        return self.inner(x) * (1 if traced else 2)


def row(make, name="one", **more):
    return Row(name, "plain", make, pictures(4, 4), "nothing", "written here", **more)


class NetworkTable(unittest.TestCase):

    def in_a_process(self, of, steps, machine="interpreter"):
        """The limit of memory stays in it."""
        from opendojo.conformance.pool import judged
        (_, verdict, _), = judged(lambda thing: tried(of, steps, machine), [0], 1, 120, renewed=True)
        return verdict

    def test_what_is_right_is_trained(self):
        verdict = self.in_a_process(row(perceptron), 3, "test6")
        self.assertEqual((verdict.outcome, verdict.why, verdict.steps), ("trained", "", 3))
        self.assertLess(verdict.last, verdict.first)
        self.assertEqual(verdict.parameters, 49 * 32 + 33 * 10)

    def test_what_departs_is_wrong(self):
        verdict = self.in_a_process(row(Doubled), 3)
        self.assertEqual((verdict.outcome, verdict.steps), ("wrong", 1))
        self.assertIn("in double precision", verdict.why)

    def test_a_row_that_fails_is_a_row(self):
        def dies():
            raise SystemExit(3)

        refused = self.in_a_process(row(lambda: nn.Sequential(perceptron(), nn.Identity().double(), nn.LogSigmoid()).double()), 3)
        self.assertIn(refused.outcome, ("refused", "error"))
        self.assertTrue(refused.why)
        self.assertIn("ended with code", self.in_a_process(row(dies), 3).why)
        missing = self.in_a_process(row(perceptron, package="no_such_package"), 3)
        self.assertEqual((missing.outcome, missing.why), ("skipped", "needs the package no_such_package"))

    def test_what_has_not_fallen_is_not_trained(self):
        verdict = self.in_a_process(row(perceptron, loss=lambda given, target: -given.square().mean() * 0 + given.mean() * 0 + 1), 3)
        self.assertEqual((verdict.outcome, verdict.why), ("error", "the losses agree, and have not fallen"))

    def test_the_page_counts_by_family(self):
        good, bad = self.in_a_process(row(perceptron), 3), self.in_a_process(row(Doubled), 3)
        text = page({"torch": "2", "machine": "test6", "steps": 3, "date": "today", "packages": "torch 2"},
                    [(row(perceptron), good._asdict()), (row(Doubled, "other"), bad._asdict())])
        self.assertIn("**1 of 2 rows trained**, of 1 families.", text)
        self.assertIn("| plain | 2 | 1 | 1 |", text)
        self.assertIn("| other | the loss of step 1 is", text)

    def test_the_page_says_files_as_the_repository_and_packages_have_them(self):
        why = "node 'a' (b.default), {}: no row has it"
        verdicts = [dict(outcome="refused", why=why.format(place), parameters=1, steps=0, first=0, last=0, apart=0)
                    for place in (f"{FOLDER}/own_points.py:149", "/usr/lib/python3/site-packages/timm/layers/mlp.py:3")]
        text = page({"torch": "2", "machine": "test6", "steps": 3, "date": "today", "packages": "torch 2"},
                    [(row(perceptron), one) for one in verdicts])
        self.assertIn("(b.default), bench/networks/own_points.py:149: no row", text)
        self.assertIn("(b.default), timm/layers/mlp.py:3: no row", text)

    def test_the_command_runs_and_goes_on(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-B", str(FOLDER), "text_cnn", "gated_convolutions", "--steps", "2", "--machine", "interpreter",
                       "--results", f"{folder}/results", "--page", f"{folder}/page.md"]
            first = subprocess.run([*command, "--part", "1/1"], capture_output=True, text=True, check=True)
            self.assertIn("trained   2", first.stdout)
            self.assertIn("[2/2]", first.stderr)
            again = subprocess.run(command, capture_output=True, text=True, check=True)
            self.assertEqual(again.stderr, "")
            lines = [json.loads(line) for line in pathlib.Path(f"{folder}/results").read_text().splitlines()]
            self.assertEqual([line["outcome"] for line in lines[1:]], ["trained", "trained"])
            self.assertIn("| text_cnn | written here, arXiv:1408.5882", pathlib.Path(f"{folder}/page.md").read_text())
            unknown = subprocess.run([sys.executable, "-B", str(FOLDER), "nothing_such"], capture_output=True, text=True)
            self.assertEqual((unknown.returncode, unknown.stderr.strip()),
                             (1, "the catalogue has no row nothing_such; --list says which it has"))


if __name__ == "__main__":
    unittest.main()
