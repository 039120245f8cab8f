"""py-spy's stacks, summed by function."""

from __future__ import annotations

from benchmarks.profile import Spot, markdown, parse, spots

RAW = """\
main (a.py:1);serve (b.py:2);send (c.py:3) 6
main (a.py:1);serve (b.py:2) 1
main (a.py:1);send (c.py:3);send (c.py:3) 3
"""


def test_a_function_has_its_own_samples_and_those_of_what_it_calls() -> None:
    assert spots(parse(RAW)) == [Spot("send (c.py:3)", 0.9, 0.9), Spot("serve (b.py:2)", 0.1, 0.7)]


def test_spots_become_a_table() -> None:
    assert markdown([Spot("send", 0.9, 0.95)]).splitlines()[-1] == "| 90.0 | 95.0 | `send` |"
