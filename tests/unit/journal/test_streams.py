from __future__ import annotations

import itertools
import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sagelet.errors import InvalidRequest, LogGroupNotFound, LogStreamNotFound, StateError
from sagelet.journal import reading
from sagelet.journal.pages import LogPage, StreamOrder
from sagelet.journal.streams import LogStreams

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = "train-1/algo-1-1767323045"
DEADLINE_S = 30.0


@pytest.fixture
def logs(tmp_path: Path) -> LogStreams:
    return LogStreams(tmp_path / "logs")


def _messages(page: LogPage) -> list[str]:
    return [event.message for event in page.events]


def _put(logs: LogStreams, *times: int, stream: str = STREAM) -> None:
    logs.append(GROUP, stream, [(ms, f"at {ms}") for ms in times])


def test_names_become_one_folder_and_one_file(logs: LogStreams, tmp_path: Path) -> None:
    _put(logs, 1)

    path = tmp_path / "logs" / "%2Faws%2Fsagemaker%2FTrainingJobs" / "train-1%2Falgo-1-1767323045"
    assert logs.path_of(GROUP, STREAM) == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["..", ".", ".group", "../x", "a/../../b", "a\\b", "a\0b", "日本"])
def test_no_name_leads_out_of_its_folder(logs: LogStreams, tmp_path: Path, name: str) -> None:
    logs.append(name, name, [(1, "x")])

    assert [path.parent.parent for path in tmp_path.rglob("*") if path.is_file()] == [
        tmp_path / "logs"
    ]
    assert (logs.groups(), logs.streams(name)) == ([name], [name])
    assert _messages(logs.read(name, name)) == ["x"]


def test_a_name_that_no_file_system_takes_is_refused(logs: LogStreams) -> None:
    with pytest.raises(InvalidRequest, match="cannot be kept as a file name"):
        logs.path_of(GROUP, "/" * 100)


def test_what_was_made_is_listed_in_order_by_prefix(logs: LogStreams) -> None:
    assert logs.create_group("/b") is True
    assert logs.create_stream("/a", "y") is True
    assert logs.create_stream("/a", "x") is True
    assert logs.create_stream("/a", "x") is False
    assert logs.create_group("/a") is False

    assert logs.groups() == ["/a", "/b"]
    assert logs.groups("/b") == ["/b"]
    assert logs.streams("/a") == ["x", "y"]
    assert logs.streams("/a", "y") == ["y"]


def test_a_strange_file_in_a_group_is_no_stream(logs: LogStreams) -> None:
    _put(logs, 1)
    logs.path_of(GROUP, STREAM).with_name(".swp").write_text("an editor's")
    logs.path_of(GROUP, STREAM).with_name("a%2fb").write_text("not as we would write it")

    assert logs.streams(GROUP) == [STREAM]


def test_what_is_missing_is_named(logs: LogStreams) -> None:
    with pytest.raises(LogGroupNotFound, match="nowhere"):
        logs.read("nowhere", STREAM)
    with pytest.raises(LogGroupNotFound):
        logs.streams("nowhere")
    with pytest.raises(LogGroupNotFound):
        logs.filter("nowhere")
    logs.create_group(GROUP)
    with pytest.raises(LogStreamNotFound, match="train-1"):
        logs.read(GROUP, STREAM)
    with pytest.raises(LogStreamNotFound):
        logs.filter(GROUP, streams=[STREAM])


def test_messages_come_back_as_they_were(logs: LogStreams) -> None:
    messages = ["", "two\nlines", 'a "quote" and \\', "日本 é \x1b[31m", "a\rb", "\udcff"]
    logs.append(GROUP, STREAM, [(1, message) for message in messages])

    read = _messages(logs.read(GROUP, STREAM, from_head=True))

    assert read[:-1] == messages[:-1]
    assert len(read) == len(messages)


def test_a_line_in_writing_is_left_for_later(logs: LogStreams) -> None:
    _put(logs, 1)
    with logs.path_of(GROUP, STREAM).open("ab") as file:
        file.write(b'[2,"at')
        file.flush()
        first = logs.read(GROUP, STREAM, from_head=True)
        file.write(b' 2"]\n')

    assert _messages(first) == ["at 1"]
    assert _messages(logs.read(GROUP, STREAM, token=first.forward)) == ["at 2"]


def test_a_line_whose_writer_died_spoils_no_other(logs: LogStreams) -> None:
    _put(logs, 1)
    with logs.path_of(GROUP, STREAM).open("ab") as file:
        file.write(b'[2,"half a me')
    _put(logs, 3)

    assert _messages(logs.read(GROUP, STREAM, from_head=True)) == ["at 1", "at 3"]


def test_times_never_fall_whatever_the_writers_clocks_say(logs: LogStreams) -> None:
    _put(logs, 5, 7, 6, 7, 9, 8)

    page = logs.read(GROUP, STREAM, from_head=True)

    assert [(event.ms, event.message) for event in page.events] == [
        (5, "at 5"),
        (7, "at 7"),
        (7, "at 6"),
        (7, "at 7"),
        (9, "at 9"),
        (9, "at 8"),
    ]


def test_times_are_the_same_from_whichever_end_and_page_size(logs: LogStreams) -> None:
    _put(logs, *(1000 + 10 * number - 25 * (number % 3 == 0) for number in range(300)))
    whole = {event.id: event.ms for event in logs.read(GROUP, STREAM, from_head=True).events}

    forward: dict[str, int] = {}
    page = logs.read(GROUP, STREAM, from_head=True, limit=7)
    while page.events:
        forward |= {event.id: event.ms for event in page.events}
        page = logs.read(GROUP, STREAM, token=page.forward, limit=7, from_head=True)
    backward: dict[str, int] = {}
    page = logs.read(GROUP, STREAM, limit=7)
    while page.events:
        backward |= {event.id: event.ms for event in page.events}
        page = logs.read(GROUP, STREAM, token=page.backward, limit=7)

    assert forward == backward == whole


def test_a_client_that_skips_by_time_and_count_sees_each_event_once(logs: LogStreams) -> None:
    """The SageMaker SDK's own loop: ask from the last time on, skip as many as had that time."""
    seen: list[str] = []
    last_ms = skip = 0
    for burst in ([5, 7, 6], [7, 7], [], [6, 9], [8, 10]):
        _put(logs, *burst)
        page = logs.read(GROUP, STREAM, start_ms=last_ms, from_head=True)
        for event in page.events[skip:]:
            seen.append(event.message)
            last_ms, skip = (last_ms, skip + 1) if event.ms == last_ms else (event.ms, 1)

    assert seen == [f"at {ms}" for ms in (5, 7, 6, 7, 7, 6, 9, 8, 10)]


def test_the_end_gives_the_same_token_back(logs: LogStreams) -> None:
    _put(logs, 1, 2, 3)
    page = logs.read(GROUP, STREAM, from_head=True)

    end = logs.read(GROUP, STREAM, token=page.forward, from_head=True)
    again = logs.read(GROUP, STREAM, token=end.forward, from_head=True)

    assert (end.events, again.events) == ((), ())
    assert page.forward == end.forward == again.forward
    _put(logs, 4)
    more = logs.read(GROUP, STREAM, token=end.forward, from_head=True)
    assert _messages(more) == ["at 4"]
    assert more.forward != end.forward


def test_the_beginning_gives_the_same_token_back(logs: LogStreams) -> None:
    _put(logs, 1, 2, 3)
    page = logs.read(GROUP, STREAM)

    start = logs.read(GROUP, STREAM, token=page.backward)

    assert start.events == ()
    assert start.backward == page.backward
    assert _messages(logs.read(GROUP, STREAM, token=start.forward)) == ["at 1", "at 2", "at 3"]


def test_tokens_look_as_aws_has_them(logs: LogStreams) -> None:
    _put(logs, 1)
    page = logs.read(GROUP, STREAM)

    for token, way in ((page.forward, "f"), (page.backward, "b")):
        assert token.startswith(f"{way}/")
        assert token.endswith("/s")
        assert len(token) == 2 + 56 + 2


def test_an_empty_stream_has_an_empty_page_that_can_be_followed(logs: LogStreams) -> None:
    logs.create_stream(GROUP, STREAM)
    tail, head = logs.read(GROUP, STREAM), logs.read(GROUP, STREAM, from_head=True)
    assert tail.events == head.events == ()

    _put(logs, 1)

    assert _messages(logs.read(GROUP, STREAM, token=tail.forward)) == ["at 1"]
    assert _messages(logs.read(GROUP, STREAM, token=head.forward)) == ["at 1"]


def test_without_a_token_the_latest_come_unless_the_head_is_asked_for(logs: LogStreams) -> None:
    _put(logs, *range(1, 11))

    assert _messages(logs.read(GROUP, STREAM, limit=2)) == ["at 9", "at 10"]
    assert _messages(logs.read(GROUP, STREAM, limit=2, from_head=True)) == ["at 1", "at 2"]


def test_pages_lead_back_and_forth(logs: LogStreams) -> None:
    _put(logs, *range(1, 11))
    last = logs.read(GROUP, STREAM, limit=3)
    before = logs.read(GROUP, STREAM, limit=3, token=last.backward)
    after = logs.read(GROUP, STREAM, limit=3, token=before.forward)

    assert _messages(before) == ["at 5", "at 6", "at 7"]
    assert _messages(after) == _messages(last) == ["at 8", "at 9", "at 10"]


def test_a_time_range_is_from_start_and_before_end(logs: LogStreams) -> None:
    _put(logs, *range(1, 11))

    def read(start_ms: int | None, end_ms: int | None) -> list[str]:
        head = logs.read(GROUP, STREAM, start_ms=start_ms, end_ms=end_ms, from_head=True)
        tail = logs.read(GROUP, STREAM, start_ms=start_ms, end_ms=end_ms)
        assert _messages(head) == _messages(tail)
        return _messages(head)

    assert read(3, 6) == ["at 3", "at 4", "at 5"]
    assert read(9, None) == ["at 9", "at 10"]
    assert read(None, 2) == ["at 1"]
    assert read(11, None) == read(6, 6) == read(7, 3) == []


def test_a_range_holds_on_the_pages_that_follow(logs: LogStreams) -> None:
    _put(logs, *range(1, 11))
    first = logs.read(GROUP, STREAM, start_ms=3, end_ms=8, limit=3, from_head=True)
    second = logs.read(
        GROUP, STREAM, start_ms=3, end_ms=8, limit=3, from_head=True, token=first.forward
    )
    end = logs.read(GROUP, STREAM, start_ms=3, end_ms=8, token=second.forward, from_head=True)
    before = logs.read(GROUP, STREAM, start_ms=3, end_ms=8, token=first.backward)

    assert _messages(second) == ["at 6", "at 7"]
    assert (end.events, end.forward) == ((), second.forward)
    assert (before.events, before.backward) == ((), first.backward)


def test_a_page_holds_a_megabyte_and_one_event_at_least(logs: LogStreams) -> None:
    for number in range(5):
        logs.append(GROUP, STREAM, [(number, str(number) * 300_000)])
    logs.append(GROUP, STREAM, [(5, "5" * 3_000_000)])

    sizes: list[int] = []
    page = logs.read(GROUP, STREAM, from_head=True)
    while page.events:
        sizes.append(len(page.events))
        page = logs.read(GROUP, STREAM, token=page.forward, from_head=True)
    back: list[int] = []
    page = logs.read(GROUP, STREAM)
    while page.events:
        back.append(len(page.events))
        page = logs.read(GROUP, STREAM, token=page.backward)

    assert sizes == [3, 2, 1]
    assert back == [1, 3, 2]


def test_a_file_that_was_replaced_is_read_from_its_beginning(logs: LogStreams) -> None:
    _put(logs, *range(1, 6))
    page = logs.read(GROUP, STREAM, from_head=True)
    path = logs.path_of(GROUP, STREAM)
    path.rename(path.with_name(".rotated"))
    _put(logs, 6, 7)

    again = logs.read(GROUP, STREAM, token=page.forward, from_head=True)

    assert _messages(again) == ["at 6", "at 7"]
    assert logs.read(GROUP, STREAM, token=again.forward).events == ()


def test_a_file_that_was_cut_short_is_read_from_its_beginning(logs: LogStreams) -> None:
    _put(logs, *range(1, 6))
    page = logs.read(GROUP, STREAM, from_head=True)
    os.truncate(logs.path_of(GROUP, STREAM), 0)
    _put(logs, 9)

    assert _messages(logs.read(GROUP, STREAM, token=page.forward)) == ["at 9"]


@pytest.mark.parametrize(
    "token", ["", "x", "f/1/s", "g/" + "0" * 56 + "/s", "f/" + "0" * 56, "f/" + "a" * 56 + "/s"]
)
def test_a_token_that_is_none_is_refused(logs: LogStreams, token: str) -> None:
    _put(logs, 1)

    with pytest.raises(InvalidRequest, match="nextToken is invalid"):
        logs.read(GROUP, STREAM, token=token)


def test_a_token_into_the_middle_of_a_line_begins_at_the_next(logs: LogStreams) -> None:
    _put(logs, 1, 2)
    inode = logs.path_of(GROUP, STREAM).stat().st_ino

    page = logs.read(GROUP, STREAM, token=f"f/{3:020d}{0:016d}{inode:020d}/s")

    assert _messages(page) == ["at 2"]


def test_eight_processes_append_to_one_stream_without_losing_a_line(
    logs: LogStreams, tmp_path: Path
) -> None:
    writer = """
import sys
from pathlib import Path
from sagelet.journal.streams import LogStreams
logs = LogStreams(Path(sys.argv[1]))
for number in range(200):
    logs.append(sys.argv[2], sys.argv[3], [(number, f"{sys.argv[4]}.{number} " + "x" * 3000)])
"""
    arguments = [str(tmp_path / "logs"), GROUP, STREAM]
    children = [
        subprocess.Popen([sys.executable, "-c", writer, *arguments, str(number)])
        for number in range(8)
    ]
    assert [child.wait(DEADLINE_S) for child in children] == [0] * 8

    seen = []
    page = logs.read(GROUP, STREAM, from_head=True)
    while page.events:
        seen += [message.split()[0] for message in _messages(page)]
        page = logs.read(GROUP, STREAM, token=page.forward)

    assert sorted(seen) == sorted(f"{child}.{n}" for child in range(8) for n in range(200))


def test_a_page_of_a_large_stream_reads_little_of_it(
    logs: LogStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = logs.path_of(GROUP, STREAM)
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for block in range(64):
            file.write(
                b"".join(b'[%d,"%s"]\n' % (block * 10_000 + n, b"x" * 90) for n in range(10_000))
            )
    read_bytes = 0
    pread = os.pread

    def counting(descriptor: int, size: int, offset: int) -> bytes:
        nonlocal read_bytes
        block = pread(descriptor, size, offset)
        read_bytes += len(block)
        return block

    monkeypatch.setattr(os, "pread", counting)

    middle = logs.read(GROUP, STREAM, limit=10, start_ms=320_000, from_head=True)
    tail = logs.read(GROUP, STREAM, limit=10)
    before = logs.read(GROUP, STREAM, limit=10, end_ms=500_000)

    assert path.stat().st_size > 60_000_000
    assert [event.ms for event in middle.events] == list(range(320_000, 320_010))
    assert [event.ms for event in tail.events] == list(range(639_990, 640_000))
    assert [event.ms for event in before.events] == list(range(499_990, 500_000))
    assert read_bytes < 6_000_000


def test_streams_are_described_by_name_or_last_event(logs: LogStreams) -> None:
    for number, stream in enumerate(("c", "a", "b")):
        _put(logs, 10 + number, 20 + number, stream=stream)
        os.utime(logs.path_of(GROUP, stream), (100 + number, 100 + number))
    logs.create_stream(GROUP, "empty")
    os.utime(logs.path_of(GROUP, "empty"), (50, 50))

    def names(order: StreamOrder, *, descending: bool = False) -> list[str]:
        page = logs.describe_streams(GROUP, order=order, descending=descending)
        return [stream.name for stream in page.streams]

    assert names(StreamOrder.NAME) == ["a", "b", "c", "empty"]
    assert names(StreamOrder.NAME, descending=True) == ["empty", "c", "b", "a"]
    assert names(StreamOrder.LAST_EVENT) == ["empty", "c", "a", "b"]
    page = logs.describe_streams(GROUP, "a")
    (a,) = page.streams
    assert (a.created_ms, a.first_ms, a.last_ms, a.written_ms) == (11, 11, 21, 101_000)
    (empty,) = logs.describe_streams(GROUP, "empty").streams
    assert (empty.created_ms, empty.first_ms, empty.last_ms) == (50_000, None, None)


@pytest.mark.parametrize("order", list(StreamOrder))
@pytest.mark.parametrize("descending", [False, True])
def test_pages_of_streams_meet(logs: LogStreams, order: StreamOrder, descending: bool) -> None:
    for number in range(7):
        logs.create_stream(GROUP, f"s{number}")
        os.utime(logs.path_of(GROUP, f"s{number}"), (100, 100))

    names: list[str] = []
    token = None
    while True:
        page = logs.describe_streams(
            GROUP, order=order, descending=descending, limit=3, token=token
        )
        names += [stream.name for stream in page.streams]
        token = page.token
        if token is None:
            break

    assert names == sorted((f"s{number}" for number in range(7)), reverse=descending)


def test_exactly_all_streams_leave_no_token(logs: LogStreams) -> None:
    """SDK v2 asks again as long as there is a token, and never sends it."""
    for number in range(3):
        logs.create_stream(GROUP, f"s{number}")

    assert logs.describe_streams(GROUP, limit=3).token is None


def test_groups_are_described_in_pages(logs: LogStreams) -> None:
    for name in ("/a/1", "/a/2", "/b/1"):
        logs.create_group(name)
    _put(logs, 1, stream="x")

    first = logs.describe_groups(limit=2)
    rest = logs.describe_groups(limit=2, token=first.token)

    assert [group.name for group in (*first.groups, *rest.groups)] == sorted(
        ["/a/1", "/a/2", "/b/1", GROUP]
    )
    assert rest.token is None
    assert [group.name for group in logs.describe_groups("/a/").groups] == ["/a/1", "/a/2"]
    assert [group.name for group in logs.describe_groups(contains="/1").groups] == ["/a/1", "/b/1"]
    (group,) = logs.describe_groups("/aws").groups
    assert group.size_bytes == logs.size_bytes(GROUP, "x") > 0
    with pytest.raises(InvalidRequest):
        logs.describe_groups(token="x")


def test_what_was_deleted_is_gone(logs: LogStreams) -> None:
    _put(logs, 1, stream="a")
    _put(logs, 1, stream="b")

    logs.delete_stream(GROUP, "a")

    assert logs.streams(GROUP) == ["b"]
    with pytest.raises(LogStreamNotFound):
        logs.delete_stream(GROUP, "a")
    logs.delete_group(GROUP)
    assert logs.groups() == []
    with pytest.raises(LogGroupNotFound):
        logs.delete_group(GROUP)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where a folder has to be")

    with pytest.raises(StateError):
        LogStreams(tmp_path / "logs").append(GROUP, STREAM, [(1, "x")])


def test_a_moment_is_found_among_lines_that_are_a_little_out_of_order(
    logs: LogStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LOOK_BACK_BYTES", 400)
    numbers = random.Random(7)
    for round_ in range(30):
        stream = f"s{round_}"
        times = [1000 + 5 * number + numbers.randint(-20, 20) for number in range(150)]
        logs.append(GROUP, stream, [(ms, "x" * numbers.randint(0, 40)) for ms in times])
        shown = list(itertools.accumulate(times, max))
        for _ in range(20):
            start_ms, end_ms = sorted(numbers.sample(range(950, 1800), 2))
            expected = [ms for ms in shown if start_ms <= ms < end_ms]

            head = logs.read(GROUP, stream, start_ms=start_ms, end_ms=end_ms, from_head=True)
            tail = logs.read(GROUP, stream, start_ms=start_ms, end_ms=end_ms)

            assert [event.ms for event in head.events] == expected
            assert [event.ms for event in tail.events] == expected
