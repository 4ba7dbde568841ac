"""Counts the cases of a JUnit file: prints 'PASSED FAILED'. A doctest program, which ctest takes
for one case, counts as many as it says itself.

usage: tests/tally.py FILE
"""

import re
import sys
import xml.etree.ElementTree

DOCTEST = re.compile(r"test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")


def tally(root):
    passed = failed = 0
    for case in root.iter("testcase"):
        broken = case.find("failure") is not None or case.find("error") is not None
        if case.find("skipped") is not None:
            continue
        # doctest colours its words.
        said = re.sub(r"(\x1b|&#27;|#x1B)?\[[0-9;]*m", "", case.findtext("system-out") or "")
        own = DOCTEST.search(said)
        good, bad = (int(own[1]), int(own[2])) if own else (int(not broken), int(broken))
        passed += good
        failed += max(bad, 1) if broken else bad
    return passed, failed


if __name__ == "__main__":
    print(*tally(xml.etree.ElementTree.parse(sys.argv[1]).getroot()))
