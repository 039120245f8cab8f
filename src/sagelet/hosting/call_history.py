"""The history of calls: rows in the store, bodies in files. Everything here blocks.

Kept are the latest calls of each endpoint, and no more bytes in all than a limit: the oldest calls
go first, whosever they are.
"""

from __future__ import annotations

import codecs
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from ulid import ULID

from sagelet.domain.calls import PREVIEW_CHARACTERS, Call, CallSummary, HistoryFacts
from sagelet.domain.invocation import Answer, Invocation
from sagelet.errors import DiskFull, StateError
from sagelet.hosting.call_bodies import CallBodies
from sagelet.hosting.redaction import redacted
from sagelet.store.calls import CallRow
from sagelet.store.store import Store, Transaction

log = logging.getLogger(__name__)

KEPT_CALLS = 500
KEPT_BYTES = 200_000_000
BODY_BYTES = 1_000_000
"""A longer body is not kept, only its size."""

_SETTING = "history"
_OFF = "off"
_GO_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made, and when it came."""

    invocation: Invocation
    answer: Answer
    at: datetime


class KeptCalls:
    """Implements `domain.calls.CallHistory`; `record` is for the host."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        *,
        kept: int = KEPT_CALLS,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        """Keep rows in a store and bodies in a folder; on, unless the owner has turned it off."""
        self._store = store
        self._bodies = CallBodies(folder)
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._writing = threading.Lock()
        self.dropped = 0
        with store.reading() as snapshot:
            self._is_on = snapshot.settings.find(_SETTING) != _OFF
            self._body_bytes = snapshot.calls.body_bytes()

    @property
    def is_on(self) -> bool:
        """Whether calls are kept. Those of traced runs are, whatever it says."""
        return self._is_on

    @property
    def kept(self) -> int:
        """How many calls of an endpoint are kept at most."""
        return self._kept

    def turn(self, *, on: bool) -> None:
        """Keep calls from now on, or keep no more; the daemon remembers it."""
        with self._store.writing() as tx:
            tx.settings.put(_SETTING, "on" if on else _OFF)
        self._is_on = on

    def recent(
        self, endpoint: str, *, limit: int = 50, before: str | None = None
    ) -> tuple[CallSummary, ...]:
        """Return the latest calls of an endpoint, the newest first; `before` is a call's id."""
        with self._store.reading() as snapshot:
            return snapshot.calls.recent(endpoint, limit=limit, before=before)

    def get(self, endpoint: str, call_id: str) -> Call | None:
        """Return one call of an endpoint."""
        with self._store.reading() as snapshot:
            row = snapshot.calls.find(endpoint, call_id)
        return None if row is None else self._whole(row)

    def good_payloads(self, endpoint: str, limit: int = 12) -> tuple[Call, ...]:
        """Return calls that were answered well, the newest first, no two with one payload."""
        with self._store.reading() as snapshot:
            rows = snapshot.calls.good(endpoint, limit)
        return tuple(self._whole(row) for row in rows)

    def clear(self, endpoint: str | None = None) -> int:
        """Forget the calls of an endpoint, or all; return how many there were."""
        with self._writing:
            with self._store.writing() as tx:
                count = tx.calls.clear(endpoint)
                unused = tx.calls.remove_unused_bodies()
            self._remove(unused)
        return count

    def facts(self) -> HistoryFacts:
        """Return what it holds."""
        with self._store.reading() as snapshot:
            return HistoryFacts(snapshot.calls.count(), snapshot.calls.body_bytes(), self.dropped)

    def record(self, calls: Sequence[Made]) -> None:
        """Keep calls; those that cannot be written down are counted as dropped."""
        try:
            with self._writing:
                rows = [self._row(made) for made in calls]
                with self._store.writing() as tx:
                    added, unused = self._add(tx, rows)
                self._body_bytes += added
                self._remove(unused)
        except (OSError, DiskFull, StateError) as error:
            self.dropped += len(calls)
            log.warning("%d calls are not in the history: %s", len(calls), error)

    def sweep(self) -> None:
        """Remove the bodies of calls that went with their endpoint."""
        with self._writing:
            with self._store.writing() as tx:
                unused = tx.calls.remove_unused_bodies()
            self._remove(unused)

    def tidy(self) -> None:
        """Remove what a crash, or an endpoint that is gone, has left."""
        self.sweep()
        with self._writing:
            with self._store.reading() as snapshot:
                known = snapshot.calls.bodies()
            self._bodies.keep_only(known)

    def _add(self, tx: Transaction, rows: Sequence[CallRow]) -> tuple[int, dict[str, int]]:
        """Add rows and forget the oldest; return the bytes added, and what is used no more."""
        added, left = 0, set[str]()
        for row in rows:
            bodies = ((row.payload, row.call.body_bytes), (row.answer, row.call.answer_bytes))
            kept = [(digest, size) for digest, size in bodies if digest]
            added += sum(tx.calls.add_body(digest, size) for digest, size in kept)
            if not tx.calls.add(row):
                left |= {digest for digest, _ in kept}
        for endpoint in {row.call.endpoint for row in rows}:
            left |= tx.calls.keep_latest(endpoint, self._kept)
        unused = tx.calls.remove_unused_bodies(left)
        while self._body_bytes + added - sum(unused.values()) > self._kept_bytes:
            oldest = tx.calls.remove_oldest(_GO_AT_ONCE)
            if oldest is None:
                break
            unused |= tx.calls.remove_unused_bodies(oldest)
        return added, unused

    def _remove(self, unused: Mapping[str, int]) -> None:
        self._body_bytes -= sum(unused.values())
        self._bodies.remove(unused)

    def _row(self, made: Made) -> CallRow:
        invocation, answer = made.invocation, made.answer
        shown, shown_answer = redacted(invocation.body), redacted(answer.body)
        body, answer_body = shown or invocation.body, shown_answer or answer.body
        payload = self._kept_body(body)
        call = CallSummary(
            id=invocation.call_id or invocation.trace or str(ULID.from_datetime(made.at)),
            endpoint=invocation.endpoint,
            at=made.at,
            source=invocation.source,
            content_type=invocation.content_type,
            accept=invocation.accept,
            target_variant=invocation.target_variant,
            target_model=invocation.target_model,
            status=answer.status,
            answer_content_type=answer.content_type,
            body_bytes=len(invocation.body),
            answer_bytes=len(answer.body),
            variant=answer.variant,
            generation=answer.generation,
            timing=answer.timing,
            handler=answer.handler,
            where=answer.where,
            preview=preview_of(body),
            payload=payload,
            is_redacted=shown is not None or shown_answer is not None,
        )
        return CallRow(call, payload, self._kept_body(answer_body))

    def _kept_body(self, body: bytes) -> str:
        return self._bodies.put(body) if len(body) <= BODY_BYTES else ""

    def _whole(self, row: CallRow) -> Call:
        known = {field.name: getattr(row.call, field.name) for field in fields(row.call)}
        return Call(
            **known,
            body=self._bodies.get(row.payload),
            answer_body=self._bodies.get(row.answer),
        )


def preview_of(body: bytes) -> str:
    """Return the beginning of a body as one line of text; nothing where it is no text."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(body[: 4 * PREVIEW_CHARACTERS])
    except UnicodeDecodeError:
        return ""
    line = " ".join(text.split())[:PREVIEW_CHARACTERS]
    return line if line.isprintable() else ""
