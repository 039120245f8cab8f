"""API keys: `sgl_live_<8 to tell it by>_<32 random>`, of which only the digest is kept."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sagelet.domain.api_keys import PREFIX, ApiKey
from sagelet.domain.clock import Clock
from sagelet.errors import SageletError
from sagelet.store.api_keys import API_KEYS
from sagelet.store.store import Store
from sagelet.web.access.sessions import digest_of

log = logging.getLogger(__name__)

_ALPHABET = string.ascii_letters + string.digits
_KEY = re.compile(rf"{PREFIX}([0-9A-Za-z]{{8}})_[0-9A-Za-z]{{32}}")
_WRITTEN_EVERY = timedelta(minutes=1)
_NO_DIGEST = digest_of("")


class ApiKeys:
    """The keys of a home, known from memory until the table changes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Read nothing yet."""
        self._store = store
        self._clock = clock
        self._known: Mapping[str, tuple[ApiKey, str]] = {}
        self._version = -1
        self._used: dict[str, datetime] = {}
        self._written: dict[str, datetime] = {}
        self._writing: set[asyncio.Future[None]] = set()

    def create(
        self,
        name: str,
        *,
        endpoints: tuple[str, ...] = (),
        origins: tuple[str, ...] = (),
        per_minute: int = 0,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """Return a new key and the text that is never seen again."""
        key = ApiKey(
            id=_random(8),
            name=name,
            created_at=self._clock.now(),
            endpoints=endpoints,
            origins=origins,
            per_minute=per_minute,
            expires_at=expires_at,
        )
        text = f"{key.shown}_{_random(32)}"
        with self._store.writing() as tx:
            tx.api_keys.add(key, digest_of(text))
        return key, text

    def all(self) -> tuple[ApiKey, ...]:
        """Return every key, the newest first."""
        keys = [
            replace(key, last_used_at=self._used.get(key.id, key.last_used_at))
            for key, _ in self._all().values()
        ]
        return tuple(sorted(keys, key=lambda key: key.created_at, reverse=True))

    def revoke(self, key_id: str) -> bool:
        """Make a key good for nothing, from now on; False where there is none of that id."""
        with self._store.writing() as tx:
            return tx.api_keys.remove(key_id)

    def find(self, text: str) -> ApiKey | None:
        """Return the key whose text this is, expired or not; nothing if there is none."""
        match = _KEY.fullmatch(text)
        key, digest = self._all().get(match[1] if match else "", (None, _NO_DIGEST))
        return key if hmac.compare_digest(digest, digest_of(text)) else None

    def names_origin(self, origin: str) -> bool:
        """Say whether a key that has not expired may be used by the pages of a site."""
        now = self._clock.now()
        return any(origin in key.origins and key.is_good_at(now) for key, _ in self._all().values())

    def note_use(self, key: ApiKey) -> None:
        """Remember that a key was used now; the disk is told once a minute, by another thread."""
        now = self._clock.now()
        self._used[key.id] = now
        if now - self._written.get(key.id, now - _WRITTEN_EVERY) < _WRITTEN_EVERY:
            return
        self._written[key.id] = now
        written = asyncio.get_running_loop().run_in_executor(None, self._write_use, key.id, now)
        self._writing.add(written)
        written.add_done_callback(self._writing.discard)

    async def settled(self) -> None:
        """Wait until every use that is being written has been."""
        await asyncio.gather(*self._writing)

    def _write_use(self, key_id: str, at: datetime) -> None:
        try:
            with self._store.writing() as tx:
                tx.api_keys.used(key_id, at)
        except SageletError as error:
            log.warning("when key %s was used last is not written: %s", key_id, error)

    def _all(self) -> Mapping[str, tuple[ApiKey, str]]:
        version = self._store.changes.version(API_KEYS)
        if version != self._version:
            with self._store.reading() as snapshot:
                keys = snapshot.api_keys.all()
            self._known = {key.id: (key, digest) for key, digest in keys}
            self._version = version
        return self._known


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
