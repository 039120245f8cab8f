"""The host's notes."""

from __future__ import annotations

import asyncio
import threading

from sagelet.hosting.notes import HostingNotes
from tests.fakes import HeldClock


def test_notes_can_be_followed_by_their_number() -> None:
    notes = HostingNotes(HeldClock())
    first = notes.add("a", "v", "one")
    notes.add("b", "v", "two", is_problem=True)
    assert [note.text for note in notes.after()] == ["one", "two"]
    assert [note.text for note in notes.after(first.number)] == ["two"]
    assert [note.text for note in notes.after(endpoint="a")] == ["one"]


def test_only_the_latest_are_kept() -> None:
    notes = HostingNotes(HeldClock(), kept=2)
    for text in "abc":
        notes.add("e", "v", text)
    assert [(note.number, note.text) for note in notes.after()] == [(2, "b"), (3, "c")]


def test_what_concerns_all_endpoints_is_told_with_each() -> None:
    notes = HostingNotes(HeldClock())
    notes.add("", "", "folders are looked at every now and then", is_problem=True)
    notes.add("b", "v", "two")
    assert [note.number for note in notes.after(endpoint="a")] == [1]


async def test_who_waits_is_woken_by_the_next_note_from_any_thread() -> None:
    notes = HostingNotes(HeldClock())
    seen = notes.add("a", "v", "one").number
    assert await notes.wait(seen - 1, 0) is True
    waiting = asyncio.create_task(notes.wait(seen, 10))
    await asyncio.sleep(0)
    threading.Thread(target=notes.add, args=("a", "v", "two")).start()
    assert await waiting is True


async def test_who_waits_for_nothing_is_told_so() -> None:
    assert await HostingNotes(HeldClock()).wait(0, 0.01) is False
