"""Making API keys, for the page and the API alike."""

from __future__ import annotations

from datetime import timedelta

from sagelet.domain.api_keys import ApiKey
from sagelet.errors import NotFound
from sagelet.web.access.new_keys import BadKey, NewKey
from sagelet.web.site import Site


async def issue(site: Site, wanted: NewKey) -> tuple[ApiKey, str]:
    """Make a key; return it and the text that is shown this once.

    Raises:
        BadKey: it names an endpoint that is not there.
    """
    endpoints = [await _name_of(site, name) for name in wanted.endpoints]
    days = wanted.expires_in_days
    expires = None if days is None else site.backend.clock.now() + timedelta(days=days)
    return site.access.keys.create(
        wanted.name,
        endpoints=tuple(endpoints),
        origins=wanted.origins,
        per_minute=wanted.per_minute,
        expires_at=expires,
    )


async def _name_of(site: Site, name: str) -> str:
    try:
        return await site.backend.endpoint_named(name)
    except NotFound as error:
        raise BadKey("endpoints", f"there is no endpoint {name}") from error
