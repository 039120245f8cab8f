from __future__ import annotations

from pathlib import Path

from sagelet.journal.events import EventLog


def test_events_are_followed_from_where_one_stopped(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "journal" / "events.jsonl")
    assert log.read_from(0) == ([], 0)

    log.append({"event": "started", "pid": 7, "where": "ü\n"})
    first, offset = log.read_from(0)
    log.append({"event": "ended"})
    second, end = log.read_from(offset)

    assert first == [{"event": "started", "pid": 7, "where": "ü\n"}]
    assert second == [{"event": "ended"}]
    assert log.read_from(end) == ([], end)


def test_a_line_in_writing_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.append({"n": 1})
    with path.open("ab") as file:
        file.write(b'{"n":')

    events, offset = log.read_from(0)
    with path.open("ab") as file:
        file.write(b"2}\n")

    assert events == [{"n": 1}]
    assert log.read_from(offset)[0] == [{"n": 2}]


def test_a_line_whose_writer_died_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":')
    log = EventLog(path)

    log.append({"n": 3})

    assert log.read_from(0)[0] == [{"n": 1}, {"n": 3}]


def test_a_file_that_is_another_one_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    for number in range(3):
        log.append({"n": number})
    _, offset = log.read_from(0)
    path.unlink()
    log.append({"n": 9})

    assert log.read_from(offset)[0] == [{"n": 9}]
