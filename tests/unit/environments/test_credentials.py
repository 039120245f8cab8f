from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagelet.domain.home import Home
from sagelet.environments.credentials import KnownKeys, load_or_create
from sagelet.errors import StateError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_a_home_gets_one_key_and_keeps_it(home: Home) -> None:
    first = load_or_create(home)
    assert load_or_create(home) == first
    assert first.access_key_id.isalnum()
    assert len(first.access_key_id) == 20
    assert len(first.secret_access_key) >= 40


def test_only_the_owner_reads_the_file(home: Home) -> None:
    load_or_create(home)
    assert stat.S_IMODE(home.credentials.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700


def test_a_file_that_others_can_read_is_closed_to_them(home: Home) -> None:
    key = load_or_create(home)
    home.credentials.chmod(0o644)
    assert load_or_create(home) == key
    assert stat.S_IMODE(home.credentials.stat().st_mode) == 0o600


def test_many_first_calls_agree_on_the_key(home: Home) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_or_create(home), range(8)))
    assert len(keys) == 1


def test_a_secret_is_found_by_its_key(home: Home) -> None:
    key, known = load_or_create(home), KnownKeys(home)
    assert known.secret_of(key.access_key_id) == key.secret_access_key
    assert known.secret_of("AKIAIOSFODNN7EXAMPLE") is None


def test_a_home_without_credentials_knows_no_key(home: Home) -> None:
    assert KnownKeys(home).secret_of("anything") is None


def test_a_key_that_was_removed_is_unknown_at_once(home: Home) -> None:
    old, known = load_or_create(home), KnownKeys(home)
    assert known.secret_of(old.access_key_id) == old.secret_access_key
    home.credentials.unlink()
    assert known.secret_of(old.access_key_id) is None
    new = load_or_create(home)
    assert known.secret_of(old.access_key_id) is None
    assert known.secret_of(new.access_key_id) == new.secret_access_key


def test_further_keys_may_stand_in_the_file(home: Home) -> None:
    load_or_create(home)
    with home.credentials.open("a", encoding="utf-8") as file:
        file.write("[job]\naws_access_key_id = JOB\naws_secret_access_key = a%b\n")
    assert KnownKeys(home).secret_of("JOB") == "a%b"


def test_a_damaged_file_is_told_of_until_it_is_repaired(home: Home) -> None:
    key, known = load_or_create(home), KnownKeys(home)
    good = home.credentials.read_text()
    for _ in range(2):
        home.credentials.write_text("[default\n")
        with pytest.raises(StateError, match="cannot be read"):
            known.secret_of(key.access_key_id)
    home.credentials.write_text(good)
    assert known.secret_of(key.access_key_id) == key.secret_access_key


@pytest.mark.parametrize("text", ["", "no section\n", "[default]\naws_access_key_id = A\n"])
def test_a_damaged_file_says_what_to_do(home: Home, text: str) -> None:
    load_or_create(home)
    home.credentials.write_text(text, encoding="utf-8")
    with pytest.raises(StateError, match="remove the file"):
        load_or_create(home)


def test_a_home_that_cannot_be_made_is_a_state_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StateError):
        load_or_create(Home(tmp_path / "file" / "home"))


def test_the_secret_is_not_shown(home: Home) -> None:
    key = load_or_create(home)
    assert key.secret_access_key not in repr(key)
