from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.store.store import Store
from sagelet.web.access.sessions import LASTS_S, OneTimeTokens, Sessions, cookie_of
from tests.builders import ACCOUNT, a_store
from tests.fakes import HeldClock


def test_a_session_is_known_by_its_token_until_it_ends() -> None:
    clock = HeldClock()
    sessions = Sessions(a_store(), clock)
    token = sessions.begin()
    assert sessions.find(token) is not None
    assert sessions.find(token[:-1]) is None
    assert sessions.find("") is None
    clock.move(LASTS_S)
    assert sessions.find(token) is None


def test_a_session_that_begins_anew_keeps_its_token_and_lasts_from_then() -> None:
    clock = HeldClock()
    sessions = Sessions(a_store(), clock)
    token = sessions.begin()
    clock.move(LASTS_S - 1)
    assert sessions.begin(token) == token
    clock.move(LASTS_S - 1)
    assert sessions.find(token) is not None
    assert sessions.begin("planted") != "planted"


def test_each_session_has_a_token_for_its_forms_that_does_not_tell_the_session() -> None:
    sessions = Sessions(a_store(), HeldClock())
    tokens = [sessions.begin(), sessions.begin()]
    found = [sessions.find(token) for token in tokens]
    forms = {each.csrf for each in found if each is not None}
    assert len(forms) == 2
    assert not forms & set(tokens)


def test_whoever_ends_a_session_ends_it_for_everybody_who_looks(tmp_path: Path) -> None:
    store, clock = Store(tmp_path / "state.db", ACCOUNT), HeldClock()
    one, other = Sessions(store, clock), Sessions(store, clock)
    first, second = one.begin(), one.begin()
    assert other.find(first) is not None
    other.end(first)
    assert one.find(first) is None
    assert one.end_all() == 1
    assert other.find(second) is None
    store.close()


def test_what_has_ended_is_forgotten_when_the_next_begins() -> None:
    store, clock = a_store(), HeldClock()
    sessions = Sessions(store, clock)
    sessions.begin()
    clock.move(LASTS_S)
    sessions.begin()
    with store.reading() as snapshot:
        assert len(snapshot.sessions.all()) == 1


def test_a_token_signs_in_once_and_within_a_minute() -> None:
    now = [0.0]
    tokens = OneTimeTokens(lambda: now[0])
    first, second = tokens.issue(), tokens.issue()
    assert tokens.redeem(first)
    assert not tokens.redeem(first)
    now[0] = 60.0
    assert not tokens.redeem(second)
    assert not tokens.redeem("")
    assert not tokens.redeem("\udc80")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://127.0.0.1:7543", "sagelet_session_7543"),
        ("http://127.0.0.1:1", "sagelet_session_1"),
        ("http://127.0.0.1", "sagelet_session"),
    ],
)
def test_the_cookie_is_named_after_the_port(address: str, name: str) -> None:
    assert cookie_of(address) == name
