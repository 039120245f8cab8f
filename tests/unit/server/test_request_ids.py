from __future__ import annotations

import uuid

from sagelet.server.request_ids import RequestIds


def test_ids_are_uuids_that_do_not_come_again() -> None:
    ids = RequestIds()
    seen = [ids.next() for _ in range(1000)]
    assert len(set(seen)) == 1000
    assert all(str(uuid.UUID(each)) == each and uuid.UUID(each).version == 4 for each in seen)


def test_two_daemons_ids_differ() -> None:
    assert RequestIds().next()[:-12] != RequestIds().next()[:-12]
