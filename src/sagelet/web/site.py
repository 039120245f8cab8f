"""What every page and every call of the API is built on."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sagelet.web.access.guard import Access
from sagelet.web.api.event_hub import EventHub
from sagelet.web.backend import Backend
from sagelet.web.public.door import PublicDoor
from sagelet.web.public.sharing import Sharing

if TYPE_CHECKING:
    from sagelet.web.rendering import Rendering


class Site:
    """The parts of the web app, which its pages and its API share."""

    def __init__(self, backend: Backend) -> None:
        """Build them on what the daemon offers."""
        self.backend = backend
        self.access = Access(backend)
        self.sharing = Sharing(backend.store)
        self.access.open_to_visitors = self.sharing.open_to_visitors
        self.public = PublicDoor(self)
        self.events = EventHub(backend)

    @cached_property
    def rendering(self) -> Rendering:
        """The templates; the API has none, and a daemon that nobody looks at loads no engine."""
        from sagelet.web.rendering import Rendering as Templates  # noqa: PLC0415  as said

        return Templates()
