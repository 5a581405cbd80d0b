"""Is a signature that differs from Spike's in any way found?"""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from spike import same_signature  # noqa: E402
from suite import Outcome, Tools  # noqa: E402

# Each writes what is in the file beside it that is called like it, and ends with the code there.
SPIKE = '#!/bin/sh\ncp {0}/spike.words "$(echo "$@" | sed "s/.*+signature=\\([^ ]*\\).*/\\1/")"\n' \
        'exit $(cat {0}/spike.code)\n'
DOJO = '#!/bin/sh\ncp {0}/dojo.words "$(echo "$@" | sed "s/.*--signature \\([^ ]*\\).*/\\1/")"\n' \
       'echo an error of ours >&2\nexit $(cat {0}/dojo.code)\n'


class SameSignature(unittest.TestCase):
    def outcome(self, right, ours, spike_code=0, dojo_code=0):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for tool, script, words, code in (("spike", SPIKE, right, spike_code), ("dojo", DOJO, ours, dojo_code)):
                (folder / tool).write_text(script.format(folder))
                (folder / tool).chmod(0o755)
                (folder / f"{tool}.words").write_text("".join(word + "\n" for word in words))
                (folder / f"{tool}.code").write_text(str(code))
            return same_signature("test.elf", folder, Tools(folder / "dojo", folder / "spike"))

    def test_the_same_words_pass(self):
        self.assertEqual(self.outcome(["0a", "0b"], ["0a", "0b"]), Outcome("passed"))

    def test_another_word_fails_and_the_first_is_shown(self):
        outcome = self.outcome(["0a", "0b", "0c"], ["0a", "0d", "0e"])
        self.assertEqual(outcome, Outcome("failed", "signature line 2 of 3 is 0d, Spike's 0b; 2 differ"))

    def test_fewer_or_no_words_fail(self):
        self.assertEqual(self.outcome(["0a", "0b"], ["0a"]), Outcome("failed", "1 lines of signature for 2"))
        self.assertEqual(self.outcome([], []), Outcome("failed", "0 lines of signature for 0"))

    def test_a_program_that_ends_badly_fails_whatever_it_leaves(self):
        self.assertEqual(self.outcome(["0a"], ["0a"], dojo_code=3), Outcome("failed", "exit code 3: an error of ours"))
        self.assertEqual(self.outcome(["0a"], ["0a"], spike_code=5).reason, "Spike ends with 5: no message")


if __name__ == "__main__":
    unittest.main()
