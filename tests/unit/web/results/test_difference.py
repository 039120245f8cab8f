"""Two runs, part by part."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sagelet.domain.calls import Call
from sagelet.domain.invocation import Timing
from sagelet.web.results.difference import difference
from sagelet.web.runs import Payload, Run

AT = datetime(2026, 1, 2, tzinfo=UTC)
SENT = b'[["a text"]]'


def a_run(value: object, *, raw: bytes | None = None, status: int = 200, took: float = 0) -> Run:
    return Run(
        id="01",
        endpoint="e",
        at=AT,
        payload=Payload(SENT, "application/json"),
        status=status,
        body=json.dumps(value).encode() if raw is None else raw,
        content_type="application/json" if raw is None else "text/plain",
        timing=Timing(0, {}, took),
        generation=1,
    )


def changes(one: object, other: object) -> list[tuple[str, str, str, str]]:
    found = difference(a_run(one), a_run(other)).changes
    return [(each.place, each.before, each.after, each.by) for each in found]


def test_the_same_answer_has_no_difference() -> None:
    found = difference(a_run({"a": 1}), a_run({"a": 1}))
    assert (found.is_same, found.is_same_payload, found.changes, found.bars) == (True, True, (), ())


def test_parts_are_added_removed_and_changed() -> None:
    before, after = {"a": [1, 2], "gone": None}, {"a": [1, 2.5, "new"]}
    assert changes(before, after) == [
        ("$.a[1]", "2", "2.5", "+0.5"),
        ("$.a[2]", "", '"new"', ""),
        ("$.gone", "null", "", ""),
    ]


def test_a_truth_value_is_no_number() -> None:
    assert changes([1], [True]) == [("$[0]", "1", "true", "")]
    assert changes([1], [1.0]) == []


def test_bars_change_by_points_the_largest_step_first() -> None:
    before = a_run([{"probabilities": {"a": 0.6, "b": 0.3, "c": 0.1}}])
    after = a_run([{"probabilities": {"a": 0.1, "b": 0.4, "d": 0.5}}])
    found = difference(before, after).bars
    assert [(each.label, each.before, each.after, round(each.by, 6)) for each in found] == [
        ("d", None, 0.5, 50),
        ("a", 0.6, 0.1, -50),
        ("b", 0.3, 0.4, 10),
        ("c", 0.1, None, -10),
    ]
    assert (found[0].before_width, found[1].before_width) == (0.0, 60.0)


def test_texts_are_compared_by_lines_and_bytes_by_size() -> None:
    one, other = a_run(0, raw=b"a\nb\n"), a_run(0, raw=b"a\nc\n")
    assert difference(one, other).lines[-2:] == ("-b", "+c")
    assert difference(a_run(0, raw=b"\xff"), one).lines == ("1 bytes became 4",)


def test_a_status_and_the_time_are_compared() -> None:
    found = difference(a_run({}, took=10), a_run({}, status=500, took=12.5))
    assert (found.statuses, found.total_ms, found.is_same) == ((200, 500), 2.5, False)


def test_many_changes_are_counted_up_to_a_bound() -> None:
    found = difference(a_run(list(range(100_000))), a_run([-1] * 100_000))
    assert len(found.changes) == 200
    assert found.more > 0


def test_what_is_nested_deeply_is_compared_as_a_whole() -> None:
    one = json.loads("[" * 400 + "1" + "]" * 400)
    other = json.loads("[" * 400 + "2" + "]" * 400)
    assert len(changes(one, other)) == 1


def test_a_call_of_the_history_is_compared_with_a_run() -> None:
    call = Call(
        id="02",
        endpoint="e",
        at=AT,
        source="aws",
        content_type="application/json",
        accept=None,
        target_variant=None,
        target_model=None,
        status=200,
        answer_content_type="application/json",
        body_bytes=1,
        answer_bytes=2,
        variant="v",
        generation=2,
        body=SENT,
        answer_body=b'{"a": 2}',
    )
    found = difference(a_run({"a": 1}), call)
    assert (found.first, found.second, found.generations) == ("01", "02", (1, 2))
    assert [each.place for each in found.changes] == ["$.a"]
    dropped = difference(call, Call(**{**{n: getattr(call, n) for n in FIELDS}, "body": None}))
    assert dropped.is_unknown


FIELDS = (
    *("id", "endpoint", "at", "source", "content_type", "accept", "target_variant"),
    *("target_model", "status", "answer_content_type", "body_bytes", "answer_bytes", "variant"),
    "generation",
)
