"""What an endpoint is, in its owner's words: `ui.description`, or the README of its model."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from sagelet.web.backend import Backend


@dataclass(frozen=True, slots=True)
class About:
    """A title, and a description that is safe to show as it is; either may be empty."""

    title: str
    description_html: Markup


async def about(backend: Backend, endpoint: str) -> About:  # noqa: ARG001  read from its folder next
    """Return what an endpoint's model says of itself."""
    return About("", Markup())
