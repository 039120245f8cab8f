"""The host's notes."""

from __future__ import annotations

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
