from __future__ import annotations

import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest

from sagelet.store.store import Store
from sagelet.web.access.api_keys import ApiKeys
from tests.builders import ACCOUNT, BEGINNING, a_store
from tests.fakes import HeldClock


def test_a_key_is_found_by_its_whole_text_only() -> None:
    keys = ApiKeys(a_store(), HeldClock())
    key, text = keys.create("a program", endpoints=("a", "b"), per_minute=7)
    assert re.fullmatch(r"sgl_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}", text)
    assert text.startswith(key.shown)
    assert keys.find(text) == key
    for other in (text[:-1], text + "x", key.shown, key.id, text.lower().upper(), "", "\udc80"):
        assert keys.find(other) is None


def test_keys_are_shown_newest_first_with_all_that_was_chosen() -> None:
    clock = HeldClock()
    keys = ApiKeys(a_store(), clock)
    expires = BEGINNING + timedelta(days=1)
    first, _ = keys.create("first", origins=("https://example.com",), expires_at=expires)
    clock.move(1)
    second, _ = keys.create("second")
    assert keys.all() == (second, first)
    assert keys.all()[1].expires_at == expires


def test_a_key_that_is_revoked_anywhere_is_unknown_everywhere(tmp_path: Path) -> None:
    store, clock = Store(tmp_path / "state.db", ACCOUNT), HeldClock()
    one, other = ApiKeys(store, clock), ApiKeys(store, clock)
    key, text = one.create("a program")
    assert other.find(text) is not None
    assert one.revoke(key.id)
    assert other.find(text) is None
    assert not one.revoke(key.id)
    store.close()


async def test_a_use_is_written_by_another_thread_and_changes_nothing_else() -> None:
    store, clock = a_store(), HeldClock()
    keys = ApiKeys(store, clock)
    key, _ = keys.create("a program")
    before = store.changes.version("api_keys")
    for _ in range(100):
        keys.note_use(key)
    await keys.settled()
    assert keys.all()[0].last_used_at == BEGINNING
    assert store.changes.version("api_keys") == before
    with store.reading() as snapshot:
        assert [each.last_used_at for each, _ in snapshot.api_keys.all()] == [BEGINNING]


async def test_a_use_that_cannot_be_written_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    store = Store(tmp_path / "state.db", ACCOUNT)
    keys = ApiKeys(store, HeldClock())
    key, text = keys.create("a program")
    with store.writing() as tx:
        tx.models._on.connection.execute("PRAGMA query_only = ON")
    keys.note_use(key)
    await keys.settled()
    assert keys.find(text) == key
    assert f"when key {key.id} was used last is not written" in caplog.text
    assert text not in caplog.text
    store.close()
