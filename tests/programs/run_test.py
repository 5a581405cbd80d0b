"""Does the runner of test programs see what is wrong with one? $DOJO is the program under test."""
import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path

import run

GOOD = '# Asks.\n# exit: 3\n  .globl main\nmain:\n  say "words"  #> words\n  li a0, 3\n  ret\n'


def said_of(program: str) -> str:
    with tempfile.TemporaryDirectory(prefix="dojo-program-") as folder:
        source = Path(folder) / "program.s"
        source.write_text(program)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = run.main(os.environ["DOJO"], str(source))
    assert (code == 0) == (said.getvalue() == "")
    return said.getvalue()


class Runner(unittest.TestCase):
    def test_says_nothing_of_a_good_program(self):
        self.assertEqual(said_of(GOOD), "")

    def test_shows_what_differs_here_and_at_the_oracle(self):
        said = said_of(GOOD.replace("#> words", "#> deeds"))
        self.assertEqual(said.count("-deeds\n+words\n"), 2)
        for who in ("+++ dojo", "+++ qemu"):
            self.assertIn(who, said)
        self.assertIn("+words\n", said_of(GOOD.replace("#> words", "")))

    def test_says_another_exit_code(self):
        self.assertIn("dojo: ends with 3, not 4", said_of(GOOD.replace("exit: 3", "exit: 4")))

    def test_says_that_a_trap_does_not_come_or_is_another_one(self):
        self.assertIn("dojo: does not say 'trapped'", said_of(GOOD.replace("exit: 3", "trap: breakpoint")))
        other = GOOD.replace("exit: 3", "trap: breakpoint").replace("li a0, 3", "ld a0, 8(zero)")
        self.assertIn("dojo: does not say 'breakpoint'", said_of(other))
        self.assertIn("qemu: ends with -11, not -5", said_of(other))

    def test_refuses_what_it_does_not_know(self):
        self.assertIn("'exits:' is none of exit, trap", said_of(GOOD.replace("exit:", "exits:")))
        self.assertIn("'exit:' is given twice", said_of(GOOD.replace("# exit", "# exit: 3\n# exit")))
        self.assertIn("oracle 'nobody' is none of", said_of(GOOD.replace("# exit", "# oracle: nobody\n# exit")))

    def test_names_the_line_that_is_no_instruction(self):
        self.assertIn("program.s:6:", said_of(GOOD.replace("li a0, 3", "lie a0, 3")))
