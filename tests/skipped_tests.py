#!/usr/bin/env python3
"""What ctest skipped, from its JUnit file: skipped_tests.py FILE. Ends with 1 if a test was skipped that may not be.

A test that this computer cannot run says so and counts as passed; without a look at the list nobody would notice
that gdb, for instance, is missing everywhere. Here stand the ones that may be skipped, and why.
"""
import re
import sys
import xml.etree.ElementTree

ALLOWED = {
    r"Refusal\.(LeavesNothingHalfWrittenOnAFullDisk|OfAFullTemporaryFolderNamesIt)": "needs the right to mount a disk",
    r"On/.*/Avx(2|512)": "needs a processor with such vectors",
}


def skipped_tests(junit):
    """Their names, in ctest's order."""
    cases = xml.etree.ElementTree.fromstring(junit).findall("testcase")
    return [case.get("name") for case in cases if case.find("skipped") is not None]


def reason_for(test):
    return next((why for name, why in ALLOWED.items() if re.fullmatch(name, test)), None)


def main(path):
    with open(path, encoding="utf-8") as file:
        skipped = skipped_tests(file.read())
    for test in skipped:
        print(f"skipped: {test}: {reason_for(test) or 'but nothing allows that (tests/skipped_tests.py)'}")
    return 0 if all(map(reason_for, skipped)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
