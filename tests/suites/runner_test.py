"""Does the runner of the suites count right, go on where it was, and say what is missing?"""
import argparse
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
import run  # noqa: E402
from refusals import REFUSALS, Refusal  # noqa: E402
from suite import Outcome, Suite, Test, Tools, Unprepared, call, failed  # noqa: E402
from suites import SUITES  # noqa: E402

# A compiler that copies, and a Spike that ends with what the source stores to tohost.
GCC = '#!/bin/sh\nfor last; do :; done\ncp probe.S "$last"\n'
SPIKE = '#!/bin/sh\nfor last; do :; done\nexit $(( $(sed -n "s/ *li t1, //p" "$last") >> 1 ))\n'


class WhatIsRefused(unittest.TestCase):
    """What the list and docs/kernels.md call lacking is not among docs/isa.md's extensions."""

    def test_is_what_a_node_lacks(self):
        docs = Path(__file__).parents[2] / "docs"
        there = set(re.findall(r"^\| (\w+) \|", (docs / "isa.md").read_text(), re.MULTILINE))
        self.assertIn("Zbb", there)
        page = re.search(r"^Refused are tests.*?\n\n", (docs / "kernels.md").read_text(), re.MULTILINE | re.DOTALL).group()
        lacking = {refusal.lacking.split(":")[0] for refusal in REFUSALS} | set(re.findall(r"\bZ\w+", page))
        self.assertEqual(lacking & there, set())


class InAFolder(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)
        for name, text in (("riscv64-unknown-elf-gcc", GCC), ("spike", SPIKE), ("dojo", "#!/bin/sh\nexit 0\n")):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        (self.folder / "first").mkdir()
        (self.folder / "first" / "mark").touch()
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{self.folder}:{path}"
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        self.ran = []


class Runner(InAFolder):
    def suite(self, outcomes, name="first", **rest):
        def test(name, outcome):
            return Test(name, lambda folder, tools: self.ran.append(name) or outcome)
        return Suite(name, ("mark",), lambda *_: iter([test(*row) for row in outcomes.items()]), **rest)

    def run_suites(self, suites, refusals=(), **options):
        with tempfile.TemporaryDirectory() as workshop, contextlib.redirect_stdout(io.StringIO()) as words, \
                contextlib.redirect_stderr(io.StringIO()) as progress:
            given = argparse.Namespace(folder=self.folder, dojo=self.folder / "dojo", spike=self.folder / "spike",
                                       outcomes=self.folder / "outcomes", only=None)
            vars(given).update(options)
            code = run.run(given, suites, list(refusals), Path(workshop))
        return code, words.getvalue(), progress.getvalue()

    def test_all_passed_is_0_and_each_end_tells_how_long_the_rest_takes(self):
        code, words, progress = self.run_suites([self.suite(dict.fromkeys("abc", Outcome("passed")))])
        self.assertEqual(code, 0)
        self.assertRegex(words, r"(?m)^first +3 +3 +0 +0$")
        self.assertEqual(words.count("\n"), 2)
        self.assertRegex(progress, r"\r1 of 3, \d+ s left +\r2 of 3, \d+ s left +\r3 of 3, 0 s left +\n$")

    def test_a_failure_is_1_and_is_named(self):
        code, words, _ = self.run_suites([self.suite({"a": Outcome("passed"), "b": Outcome("failed", "why")})])
        self.assertEqual(code, 1)
        self.assertRegex(words, r"(?m)^first +2 +1 +1 +0$")
        self.assertIn("failed: first b: why\n", words)

    def test_nothing_to_run_is_2_and_what_is_missing_is_said(self):
        code, words, progress = self.run_suites([self.suite({"a": Outcome("passed")}, "second")])
        self.assertEqual(code, 2)
        self.assertEqual(words, f"second: no mark in {self.folder}/second; left out\n")
        self.assertIn("holds nothing to run", progress)
        code, words, _ = self.run_suites([self.suite({}, "second"), self.suite({"a": Outcome("passed")})])
        self.assertEqual(code, 0)
        self.assertIn("second: no mark", words)

    def test_a_spike_that_passes_everything_is_2(self):
        (self.folder / "spike").write_text("#!/bin/sh\nexit 0\n")
        code, _, progress = self.run_suites([self.suite({"a": Outcome("passed")})])
        self.assertEqual((code, self.ran), (2, []))
        self.assertEqual(progress, "Spike ends with 0 where 5 is right: no message\n")

    def test_refused_is_what_fails_and_is_listed(self):
        refusals = [Refusal("first", "a*", "thing: for it"), Refusal("second", "b", "not this suite's")]
        suite = self.suite({"a1": Outcome("failed", "trap"), "a2": Outcome("failed", "trap"), "b": Outcome("passed")})
        code, words, _ = self.run_suites([suite], refusals)
        self.assertEqual(code, 0)
        self.assertRegex(words, r"(?m)^first +3 +1 +0 +2$")
        self.assertIn("refused: first a1 a2: thing: for it\n", words)

    def test_a_listed_test_that_passes_has_failed(self):
        code, words, _ = self.run_suites([self.suite({"a": Outcome("passed")})], [Refusal("first", "a", "thing")])
        self.assertEqual(code, 1)
        self.assertIn("failed: first a: passes, but is listed as refused: thing\n", words)

    def test_a_line_of_the_list_without_a_test_has_failed(self):
        suite, refusals = self.suite({"a": Outcome("passed")}), [Refusal("first", "c*", "thing")]
        code, words, _ = self.run_suites([suite], refusals)
        self.assertEqual(code, 1)
        self.assertIn("failed: first: no test is called c*, but it is listed as refused\n", words)
        self.assertEqual(self.run_suites([suite], refusals, only="a")[0], 0)

    def test_what_cannot_be_prepared_is_1_and_the_others_run(self):
        def prepare(*_):
            raise Unprepared("no compiler")
        (self.folder / "second").mkdir()
        (self.folder / "second" / "mark").touch()
        code, words, _ = self.run_suites([self.suite({"a": Outcome("passed")}, prepare=prepare),
                                          self.suite({"b": Outcome("passed")}, "second")])
        self.assertEqual((code, self.ran), (1, ["b"]))
        self.assertIn("failed: first: cannot be prepared: no compiler\n", words)

    def test_what_passed_is_known_and_what_failed_is_tried_again(self):
        suite = self.suite({"a": Outcome("passed"), "b": Outcome("failed"), "c": Outcome("failed")})
        refusals = [Refusal("first", "c", "thing")]
        self.assertEqual(self.run_suites([suite], refusals)[0], 1)
        self.ran.clear()
        code, words, progress = self.run_suites([suite], refusals)
        self.assertEqual((code, self.ran), (1, ["b"]))
        self.assertRegex(words, r"(?m)^first +3 +1 +1 +1$")
        self.assertIn("2 of 3 are known from an earlier run\n", progress)

    def test_nothing_is_known_of_another_emulator_or_checkout(self):
        suite = self.suite({"a": Outcome("passed")})
        for change in (lambda: None, lambda: (self.folder / "dojo").write_text("#!/bin/sh\nexit 1\n"),
                       lambda: (self.folder / "first" / "new").touch()):
            change()
            self.run_suites([suite])
        self.run_suites([suite])
        self.assertEqual(self.ran, ["a"] * 3)

    def test_half_a_line_is_forgotten_and_other_folders_suites_are_kept(self):
        suite = self.suite({"a": Outcome("passed"), "b": Outcome("passed")})
        self.run_suites([suite])
        outcomes = self.folder / "outcomes"
        ours = "".join(sorted(outcomes.read_text().splitlines(keepends=True)))
        outcomes.write_text('["elsewhere", "key", "a", "passed", ""]\n' + ours[:-9])
        self.ran.clear()
        self.assertEqual(self.run_suites([suite])[0], 0)
        self.assertEqual(self.ran, ["b"])
        kept = [json.loads(line) for line in outcomes.read_text().splitlines()]
        self.assertEqual([(line[0], line[2]) for line in kept], [("elsewhere", "a"), ("first", "a"), ("first", "b")])

    def test_only_runs_some_and_forgets_none(self):
        suite = self.suite({"a": Outcome("passed"), "b": Outcome("passed")})
        self.assertEqual(self.run_suites([suite], only="a")[:2][0], 0)
        self.assertEqual(self.ran, ["a"])
        self.run_suites([suite])
        self.assertEqual(self.ran, ["a", "b"])


# A whole run in a process of its own: `slow` tells that it has begun, and ends when it may.
DRIVER = """
    import os, sys, time
    from pathlib import Path
    sys.path.insert(0, {here!r})
    import run, suite
    folder = Path({folder!r})
    os.cpu_count = lambda: 1
    def slow(*_):
        (folder / "begun").touch()
        while not (folder / "go").exists(): time.sleep(0.01)
        return suite.Outcome("passed")
    def quick(name):
        def test(*_):
            with (folder / "ran").open("a") as ran: ran.write(name)
            return suite.Outcome("passed")
        return suite.Test(name, test)
    tests = [quick("a"), quick("b"), suite.Test("slow", slow), quick("c")]
    run.SUITES = [suite.Suite("first", ("mark",), lambda *_: iter(tests))]
    run.REFUSALS = []
    sys.argv = ["run.py", {folder!r}, "--dojo", {folder!r} + "/dojo", "--spike", {folder!r} + "/spike", "--outcomes",
                {folder!r} + "/outcomes"]
    sys.exit(run.main())
"""


class Interrupted(InAFolder):
    def start(self):
        driver = self.folder / "driver.py"
        driver.write_text(textwrap.dedent(DRIVER).format(here=str(here), folder=str(self.folder)))
        return subprocess.Popen([sys.executable, "-B", driver], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def start_and_wait_for_slow(self):
        process = self.start()
        while not (self.folder / "begun").exists():
            self.assertIsNone(process.poll(), "it ended before its third test")
        return process

    def test_a_killed_run_goes_on_where_it_was(self):
        process = self.start_and_wait_for_slow()
        while (self.folder / "outcomes").read_text().count("\n") < 2:
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        (self.folder / "go").touch()
        words, progress = (process := self.start()).communicate()
        self.assertEqual(process.returncode, 0, progress)
        self.assertEqual((self.folder / "ran").read_text(), "abc")
        self.assertRegex(words, r"(?m)^first +4 +4 +0 +0$")
        self.assertIn("2 of 4 are known", progress)

    def test_an_interrupted_run_keeps_what_was_under_way(self):
        process = self.start_and_wait_for_slow()
        process.send_signal(signal.SIGINT)
        while "interrupted" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        (self.folder / "go").touch()
        words, _ = process.communicate()
        self.assertEqual(process.returncode, 1)
        self.assertRegex(words, r"(?m)^first +3 +3 +0 +0$")
        process = self.start()
        process.communicate()
        self.assertEqual(process.returncode, 0)
        self.assertEqual((self.folder / "ran").read_text(), "abc")

    def test_a_second_run_beside_the_first_is_refused(self):
        process = self.start_and_wait_for_slow()
        _, errors = (second := self.start()).communicate()
        self.assertEqual(second.returncode, 2)
        self.assertEqual(errors, f"{self.folder}/outcomes is in use by another run\n")
        (self.folder / "go").touch()
        process.communicate()
        self.assertEqual(process.returncode, 0)


class Words(unittest.TestCase):
    def test_a_command_that_takes_too_long_is_said(self):
        code, _, errors = call(["sleep", "60"], Path("/"), seconds=1)
        self.assertEqual(failed(code, errors).reason, "exit code 124: took more than 1 s")
        self.assertEqual(call(["sh", "-c", "echo out; echo wrong >&2; exit 3"], Path("/")), (3, "out\n", "wrong\n"))

    def test_each_refusal_is_of_a_suite(self):
        self.assertLessEqual({r.suite for r in REFUSALS}, {s.name for s in SUITES})


if __name__ == "__main__":
    unittest.main()
