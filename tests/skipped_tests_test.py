"""Is a skipped test seen in what ctest writes, and one that may not be skipped an error?"""
import contextlib
import io
import pathlib
import subprocess
import tempfile
import unittest

import skipped_tests

MOUNTS = "Refusal.OfAFullTemporaryFolderNamesIt"
GDB = "Gdb.ABreakpoint"


class SkippedTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def outcome(self, skipped, passed):
        """Of a real run of ctest with tests of these names."""
        lines = [f'add_test("{name}" echo {word})\nset_tests_properties("{name}" PROPERTIES SKIP_REGULAR_EXPRESSION skip)'
                 for names, word in ((skipped, "skip"), (passed, "done")) for name in names]
        (self.folder / "CTestTestfile.cmake").write_text("\n".join(lines))
        subprocess.run(["ctest", "--test-dir", self.folder, "--output-junit", "tests.xml"], check=True,
                       stdout=subprocess.DEVNULL)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = skipped_tests.main(self.folder / "tests.xml")
        return code, said.getvalue()

    def test_nothing_is_said_of_tests_that_ran(self):
        self.assertEqual(self.outcome([], [MOUNTS, GDB]), (0, ""))

    def test_what_may_be_skipped_is_listed(self):
        avx = "On/TranslatorTest.DoesWhatScalarSemanticsSay/Avx512"
        self.assertEqual(self.outcome([MOUNTS, avx], [GDB]),
                         (0, f"skipped: {MOUNTS}: needs the right to mount a disk\n"
                             f"skipped: {avx}: needs a processor with such vectors\n"))

    def test_what_may_not_is_an_error(self):
        code, said = self.outcome([MOUNTS, GDB], [])
        self.assertEqual(code, 1)
        self.assertIn(f"skipped: {GDB}: but nothing allows that", said)


if __name__ == "__main__":
    unittest.main()
