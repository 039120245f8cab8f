from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sagelet.errors import AlreadyExists, DiskFull, StateError
from sagelet.store.connections import translating
from sagelet.store.store import Store, Transaction
from sagelet.store.versions import schema_files
from tests.builders import ACCOUNT, a_model, a_store, an_endpoint

DEADLINE_S = 10.0


def _open(path: Path) -> Store:
    return Store(path, ACCOUNT)


def _add_twice(tx: Transaction) -> None:
    tx.models.add(a_model())
    tx.models.add(a_model())


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    store = _open(tmp_path / "state.db")

    with pytest.raises(AlreadyExists), store.writing() as tx:
        _add_twice(tx)

    with store.writing() as tx:
        assert tx.models.all() == ()
    store.close()


def test_readers_see_what_was_committed_and_do_not_wait(tmp_path: Path) -> None:
    store = _open(tmp_path / "state.db")

    with store.writing() as tx:
        tx.models.put(a_model("one"))
        with store.reading() as during:
            assert during.models.all() == ()

    with store.reading() as after:
        assert len(after.models.all()) == 1
    store.close()


def test_a_snapshot_does_not_move(tmp_path: Path) -> None:
    store = _open(tmp_path / "state.db")

    with store.reading() as snapshot:
        assert snapshot.models.all() == ()
        with store.writing() as tx:
            tx.models.put(a_model("one"))
        with store.reading() as nested:
            assert nested.models.all() == ()
        assert snapshot.models.all() == ()
    store.close()


def test_a_transaction_within_a_transaction_is_refused() -> None:
    store = a_store()

    with store.writing(), pytest.raises(RuntimeError), store.writing():
        pass


def test_of_fifty_threads_that_add_one_name_one_wins(tmp_path: Path) -> None:
    store = _open(tmp_path / "state.db")
    barrier = threading.Barrier(50)
    lost: list[AlreadyExists] = []

    def add() -> None:
        barrier.wait(DEADLINE_S)
        try:
            with store.writing() as tx:
                tx.endpoints.add(an_endpoint())
        except AlreadyExists as error:
            lost.append(error)

    threads = [threading.Thread(target=add) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)

    assert len(lost) == 49
    store.close()


def test_connections_of_threads_that_ended_are_closed(tmp_path: Path) -> None:
    store = _open(tmp_path / "state.db")

    def read() -> None:
        with store.reading() as snapshot:
            snapshot.models.all()

    opened = []
    for _ in range(5):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join(DEADLINE_S)
        opened.append(len(list(Path("/dev/fd").iterdir())))

    assert len(set(opened[1:])) == 1
    store.close()


def test_a_committed_transaction_publishes_what_it_touched() -> None:
    store = a_store()
    arn = an_endpoint().arn

    with store.writing() as tx:
        tx.endpoints.put(an_endpoint())
        tx.models.put(a_model())
        assert store.changes.version(arn) == 0
    assert store.changes.version(arn) == 1
    with store.writing() as tx:
        tx.endpoints.remove("sentiment")
    assert store.changes.version(arn) == 2
    assert store.changes.version(a_model().arn) == 1


def test_what_was_undone_is_not_published() -> None:
    store = a_store()

    with pytest.raises(AlreadyExists), store.writing() as tx:
        _add_twice(tx)

    assert store.changes.version(a_model().arn) == 0


def test_the_file_and_its_companions_are_private(tmp_path: Path) -> None:
    store = _open(tmp_path / "home" / "state.db")
    with store.writing() as tx:
        tx.models.put(a_model())

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "home").iterdir()}

    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    store.close()


def test_an_acknowledged_write_survives_kill_9(tmp_path: Path) -> None:
    writer = """
import sys
from pathlib import Path
from sagelet.store.store import Store, Transaction
from tests.builders import ACCOUNT, a_model
store = Store(Path(sys.argv[1]), ACCOUNT)
number = 0
while True:
    with store.writing() as tx:
        tx.models.put(a_model(f"m{number}"))
    print(number, flush=True)
    number += 1
"""
    path = tmp_path / "state.db"
    child = subprocess.Popen(
        [sys.executable, "-c", writer, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert child.stdout is not None
    with child.stdout:
        acknowledged = [int(child.stdout.readline()) for _ in range(30)][-1]
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().split())])
    child.wait(DEADLINE_S)

    store = _open(path)
    with store.reading() as snapshot:
        kept = {model.name for model in snapshot.models.all()}
    store.close()

    assert {f"m{number}" for number in range(acknowledged + 1)} <= kept


def _refusal(path: Path) -> StateError:
    before = path.read_bytes()
    with pytest.raises(StateError) as caught:
        _open(path)
    assert path.read_bytes() == before
    return caught.value


def test_a_newer_schema_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    _open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    refused = _refusal(path)

    assert refused.path == str(path)
    assert "newer Sagelet (schema 99" in refused.problem
    assert "install that release again" in refused.problem


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"<html>" * 1000)

    assert "move it aside" in _refusal(path).problem


def test_a_damaged_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = _open(path)
    with store.writing() as tx:
        for number in range(300):
            tx.models.put(a_model(f"m{number}"))
    store.close()
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2 // 4096 * 4096
    whole[middle : middle + 4096] = os.urandom(4096)
    path.write_bytes(whole)

    assert "is damaged" in _refusal(path).problem


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()

    assert "another program's" in _refusal(path).problem


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder has to be")

    with pytest.raises(StateError) as caught:
        _open(tmp_path / "home" / "state.db")

    assert caught.value.path == str(tmp_path / "home" / "state.db")


def test_a_full_disk_refuses_the_write_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("CREATE TABLE blobs (value BLOB)")
        # SQLite answers a file that may not grow as it answers a disk that is full.
        connection.execute("PRAGMA max_page_count = 8")
        with pytest.raises(DiskFull) as caught, translating(path):
            connection.execute("INSERT INTO blobs VALUES (zeroblob(1000000))")
        connection.execute("INSERT INTO blobs VALUES (zeroblob(10))")
    connection.close()

    assert caught.value.free_bytes > 0
    assert "local disk full" in str(caught.value)


def test_a_mistake_in_our_own_sql_stays_what_it_is(tmp_path: Path) -> None:
    connection = sqlite3.connect(":memory:")

    with pytest.raises(sqlite3.OperationalError), translating(tmp_path):
        connection.execute("SELECT nothing FROM nowhere")

    connection.close()


def test_schema_files_are_numbered_without_a_gap() -> None:
    assert list(schema_files()) == list(range(1, len(schema_files()) + 1))


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = _open(path)
    with store.writing() as tx:
        tx.models.put(a_model())
    store.close()

    again = _open(path)
    with again.reading() as snapshot:
        assert snapshot.models.get("sentiment") == a_model()
    again.close()
