"""What every page and every call of the API is built on."""

from __future__ import annotations

from dataclasses import dataclass

from sagelet.web.access.guard import Access
from sagelet.web.backend import Backend
from sagelet.web.rendering import Rendering


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of the web app."""

    backend: Backend
    access: Access
    rendering: Rendering
