"""Making an endpoint public, and private again, as the Config tab and the API both do."""

from __future__ import annotations

from sagelet.domain.publications import PER_MINUTE, Publication, Terms
from sagelet.errors import InvalidRequest
from sagelet.web.pages.endpoint_models import is_multi_model
from sagelet.web.site import Site

OFF = "off"


async def publish(
    site: Site, endpoint: str, access: str, slug: str = "", per_minute: int | None = None
) -> None:
    """Put an endpoint on terms; what is not told stays as it was.

    Raises:
        InvalidRequest: the terms, the slug or the rate is none, or it has several models.
        AlreadyExists: another one has the slug.
    """
    if access == OFF:
        site.sharing.withdraw(endpoint)
        return
    if access not in list(Terms):
        raise InvalidRequest(message=f"access is open, key or off, not {access[:40]!r}")
    if await is_multi_model(site.backend, endpoint):
        raise InvalidRequest(
            message=f"{endpoint} has several models, which are loaded as they are asked for: "
            "strangers cannot choose among them"
        )
    now = site.sharing.of(endpoint)
    slug = slug or (now.slug if now is not None else "")
    if per_minute is None:
        per_minute = now.per_minute if now is not None else PER_MINUTE
    site.sharing.publish(Publication.of(endpoint, Terms(access), slug=slug, per_minute=per_minute))


def addresses(site: Site, publication: Publication | None) -> dict[str, str]:
    """Return where the page is: on this machine, and for others while the listener is open."""
    if publication is None:
        return {}
    found = {"preview": f"{site.backend.address}/p/{publication.slug}"}
    listening = site.public.listening
    if listening is not None:
        found["public"] = f"{listening.base}/p/{publication.slug}"
    return found
