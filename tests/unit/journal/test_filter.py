from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.errors import InvalidRequest, NotSupported
from sagelet.journal import filtering
from sagelet.journal.pages import FilterPage
from sagelet.journal.patterns import read_pattern
from sagelet.journal.streams import LogStreams

GROUP = "/aws/sagemaker/Endpoints/sentiment"


@pytest.fixture
def logs(tmp_path: Path) -> LogStreams:
    logs = LogStreams(tmp_path / "logs")
    logs.append(GROUP, "AllTraffic/i-2", [(1, "two 1"), (3, "two 3"), (5, "two 5")])
    logs.append(GROUP, "AllTraffic/i-1", [(2, "one 2"), (3, "one 3"), (4, "one 4")])
    logs.append(GROUP, "other", [(3, "other 3")])
    return logs


def _messages(page: FilterPage) -> list[str]:
    return [event.message for event in page.events]


def _all(logs: LogStreams, limit: int, pattern: str = "") -> list[list[str]]:
    pages = []
    token = None
    while True:
        page = logs.filter(GROUP, limit=limit, token=token, pattern=pattern)
        pages.append(_messages(page))
        if page.token is None:
            return pages
        token = page.token


def test_streams_are_merged_by_time_then_name(logs: LogStreams) -> None:
    page = logs.filter(GROUP)

    assert _messages(page) == ["two 1", "one 2", "one 3", "two 3", "other 3", "one 4", "two 5"]
    assert page.token is None
    assert page.events[1].stream == "AllTraffic/i-1"
    assert [event.id for event in page.events] == sorted({event.id for event in page.events})


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 6, 7, 8])
def test_pages_meet_without_a_gap_or_an_overlap(logs: LogStreams, limit: int) -> None:
    pages = _all(logs, limit)

    assert [message for page in pages for message in page] == _messages(logs.filter(GROUP))
    assert all(len(page) <= limit for page in pages)


def test_pages_meet_where_clocks_disagree(logs: LogStreams) -> None:
    for number in range(40):
        late = 30 if number % 7 == 0 else 0
        logs.append(GROUP, f"s{number % 3}", [(100 + number // 2 - late, f"{number}")])
    whole = _messages(logs.filter(GROUP))

    assert len(whole) == 47
    assert [message for page in _all(logs, 5) for message in page] == whole


def test_streams_are_chosen_by_name_or_prefix(logs: LogStreams) -> None:
    assert _messages(logs.filter(GROUP, prefix="AllTraffic/", limit=3)) == [
        "two 1",
        "one 2",
        "one 3",
    ]
    assert _messages(logs.filter(GROUP, streams=["other"])) == ["other 3"]
    assert _messages(logs.filter(GROUP, prefix="none")) == []


def test_both_ends_of_the_time_range_belong_to_it(logs: LogStreams) -> None:
    page = logs.filter(GROUP, start_ms=2, end_ms=3)

    assert _messages(page) == ["one 2", "one 3", "two 3", "other 3"]


def test_only_matching_events_are_given_and_counted(logs: LogStreams) -> None:
    assert _messages(logs.filter(GROUP, pattern="two")) == ["two 1", "two 3", "two 5"]
    assert _all(logs, 2, "two") == [["two 1", "two 3"], ["two 5"]]


def test_a_search_that_finds_little_ends_its_page_early(
    logs: LogStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtering, "_SCAN_BYTES", 40)

    pages = _all(logs, 100, "two 5")

    assert len(pages) > 1
    assert [message for page in pages for message in page] == ["two 5"]


@pytest.mark.parametrize("token", ["", "x", "W10=", "WzEsICJhIl0=", "WyJhIiwgImIiLCAiYyJd"])
def test_a_token_that_is_none_is_refused(logs: LogStreams, token: str) -> None:
    with pytest.raises(InvalidRequest, match="nextToken is invalid"):
        logs.filter(GROUP, token=token)


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("", ["a b", "a", "b", "A", "c d"]),
        ("a", ["a b", "a"]),
        ("a b", ["a b"]),
        ('"c d"', ["c d"]),
        ("?a ?b", ["a b", "a", "b"]),
        ("a -b", ["a"]),
        ("-a", ["b", "A", "c d"]),
        ("a ?b", ["a b", "a"]),
        ('-"a b" ?a ?b', ["a", "b"]),
        ("?A", ["A"]),
    ],
)
def test_a_pattern_matches_by_its_terms(pattern: str, matching: list[str]) -> None:
    matches = read_pattern(pattern)

    assert [message for message in ["a b", "a", "b", "A", "c d"] if matches(message)] == matching


def test_a_quote_may_hold_a_quote() -> None:
    assert read_pattern(r'"say \"hi\""')('say "hi" now')


@pytest.mark.parametrize("pattern", ["{ $.level = 1 }", "[ip, user]", "%a.c%"])
def test_other_kinds_of_pattern_are_refused_by_name(pattern: str) -> None:
    with pytest.raises(NotSupported, match="not served"):
        read_pattern(pattern)


@pytest.mark.parametrize("pattern", ['"open', "?", "- a", 'a "'])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest, match="Invalid filter pattern"):
        read_pattern(pattern)
