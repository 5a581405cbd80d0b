"""Does the command over PyTorch's list of operators pass what is right, see what is wrong, and go on where it was?"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import torch

from opendojo.conformance import entries, judge, page, record

NODES = {node.name: node for node in entries.all_nodes()}


class Twofold:
    """An entry of one's own: x * 2 while it is traced, x * factor otherwise."""

    full_name = name = "twofold"
    decorators = ()
    factor = 2

    def sample_inputs(self, device, dtype, requires_grad):
        sample = lambda: None
        sample.input, sample.args, sample.kwargs = torch.ones(3, dtype=dtype), (), {}
        return [sample]

    def op(self, x):
        is_traced = isinstance(x, torch._subclasses.FakeTensor) or torch._C._len_torch_dispatch_stack() > 0
        return x * (2 if is_traced else self.factor)


class Conformance(unittest.TestCase):

    def test_the_list_is_whole(self):
        count = lambda kind: sum(node.kind == kind for node in NODES.values())
        self.assertEqual([count(kind) for kind in entries.KINDS], [677, 551, 540, 226])

    def test_what_is_right_passes_on_the_machine(self):
        for name in ("add float32", "matmul bfloat16", "nn.functional.softplus gradient", "lgamma float32", "linalg.solve gradient",
                     "scatter_reduce.mean bfloat16", "add errors"):
            with self.subTest(name):
                verdict = judge.judge(NODES[name], "test6")
                self.assertEqual((verdict.outcome, verdict.why), ("passed", ""))

    def test_what_is_wrong_is_seen(self):
        entry = Twofold()
        self.assertEqual(judge.judge(entries.Node(entry, "float32"), "test6").outcome, "passed")
        entry.factor = 3
        verdict = judge.judge(entries.Node(entry, "float32"), "test6")
        self.assertEqual(verdict.outcome, "wrong")
        self.assertIn("Mismatched elements: 3 / 3", verdict.why)

    def test_what_the_machine_lacks_is_refused_by_name(self):
        verdict = judge.judge(NODES["fft.fft float32"], "interpreter")
        self.assertEqual(verdict.outcome, "refused")
        self.assertIn("complex", verdict.why)
        self.assertEqual(judge.judge(NODES["empty_like float32"], "interpreter").outcome, "refused")
        for name in ("item float32", "nonzero float32"):
            verdict = judge.judge(NODES[name], "interpreter")
            self.assertEqual((verdict.outcome, "depends on values" in verdict.why), ("refused", True), name)

    def test_tolerances_are_the_entrys(self):
        self.assertEqual(NODES["add float32"].tolerance(), (1.3e-6, 1e-5))
        self.assertEqual(NODES["nn.functional.group_norm float32"].tolerance(), (3e-3, 5e-5))

    def test_an_interrupted_record_goes_on_behind_its_last_whole_line(self):
        about, result = {"torch": "2"}, judge.Verdict("refused", "node 'a' (op): what", "op", samples=1)._asdict()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "results"
            record.Record(path, about).add("one float32", result)
            with open(path, "a") as file:
                file.write('{"node": "two fl')
            again = record.Record(path, about)
            self.assertEqual(list(again.results), ["one float32"])
            again.add("two float32", result)
            self.assertEqual(len([json.loads(line) for line in path.read_text().splitlines()]), 3)
            with self.assertRaisesRegex(ValueError, "holds results of"):
                record.Record(path, {"torch": "3"})
            self.assertEqual({one["version"] for one in again.results.values()}, {record.version()})

    def test_the_page_says_what_was_tried_and_why_not_all_passes(self):
        passed = lambda name: {"node": name, **judge.Verdict("passed", samples=3, by_double=1)._asdict()}
        refused = lambda name: {"node": name, **judge.Verdict("refused", "node 'a' (op): of 7 | 8", "op", samples=1)._asdict()}
        results = {"one float32": passed("one float32"), "one errors": passed("one errors"), "two float32": refused("two float32"),
                   "two errors": passed("two errors")}
        names = [*results, "one gradient"]
        written = page.page({"date": "2026-01-02", "torch": "2", "machine": "test6"}, results, names)
        for line in ("This is of 4 of the 5 nodes; the others were not tried.", "| float32 | 2 | 1 | 1 | 0 | 0 |",
                     "| errors | 2 | 1 | 0 | 0 | 0 |", "| 1 | 1 | op: of N / N |", "| one | + | . |  | + |", "| two | 1 | . | . | + |"):
            self.assertIn(line, written.splitlines())
        self.assertIn("3 samples of the nodes that pass, 1 are", written)
        self.assertIn("This is of all 4 nodes.", page.page({"date": "", "torch": "2", "machine": "test6"}, results, list(results)))
        self.assertNotIn("Wrong", written)
        results["two float32"] = {"node": "two float32", **judge.Verdict("wrong", "1 is not 2")._asdict()}
        self.assertIn("| two float32 | wrong | 1 is not 2 |", page.page({"date": "", "torch": "2", "machine": "test6"}, results, names))

    def test_what_has_become_worse_is_seen(self):
        result = lambda outcome: {"outcome": outcome, "why": ""}
        before = {"a": result("passed"), "b": result("passed"), "c": result("refused"), "d": result("refused"), "e": result("passed")}
        text = record.outcomes_text(before)
        self.assertEqual(record.departures(text, before), ([], []))
        now = {"a": result("refused"), "b": result("passed"), "c": result("wrong"), "d": result("passed")}
        worse, better = record.departures(text, now)
        self.assertEqual(worse, ["a: passed before, now refused", "c: refused before, now wrong", "e: passed before, now not tried"])
        self.assertEqual(better, ["d: refused before, now passed"])

    def test_the_command_runs_and_goes_on(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-B", "-m", "opendojo.conformance", "neg", "--kind", "float32", "--interpret", "--jobs", "1",
                       "--results", f"{folder}/results", "--page", f"{folder}/page.md", "--table", f"{folder}/table.json"]
            first = subprocess.run(command, capture_output=True, text=True, check=True)
            self.assertIn("float32   passed   1", first.stdout)
            self.assertIn("[1/1]", first.stderr)
            self.assertNotIn("[1/1]", subprocess.run(command, capture_output=True, text=True, check=True).stderr)
            self.assertEqual(json.loads(pathlib.Path(f"{folder}/table.json").read_text())["nodes"][0]["outcome"], "passed")
            self.assertIn("| neg | + |", pathlib.Path(f"{folder}/page.md").read_text())

    def test_the_command_ends_with_1_where_a_node_no_longer_passes(self):
        with tempfile.TemporaryDirectory() as folder:
            expected = pathlib.Path(f"{folder}/expected")
            command = [sys.executable, "-B", "-m", "opendojo.conformance", "neg", "--kind", "float32", "--interpret", "--jobs", "1",
                       "--results", f"{folder}/results"]
            untried = subprocess.run([*command, "--tried", "--page", f"{folder}/page.md"], capture_output=True, text=True, check=True)
            self.assertEqual(untried.stdout, "")
            self.assertIn("0 of the 1 nodes", pathlib.Path(f"{folder}/page.md").read_text())
            subprocess.run([*command, "--outcomes", str(expected)], capture_output=True, check=True)
            self.assertEqual(expected.read_text(), "passed\tneg float32\n")
            expected.write_text("passed\tneg float32\npassed\tabs float32\n")
            worse = subprocess.run([*command, "--expect", str(expected)], capture_output=True, text=True)
            self.assertEqual(worse.returncode, 1)
            self.assertIn("abs float32: passed before, now not tried", worse.stdout)


if __name__ == "__main__":
    unittest.main()
