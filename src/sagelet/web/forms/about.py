"""What an endpoint is, in its owner's words: `ui.description`, or the README of its model.

The words come with a model that somebody else may have made. Markdown is rendered without HTML of
its own, cleaned again, and nothing in it is loaded from anywhere.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from sagelet.web.backend import Backend
from sagelet.web.forms.examples import README, front_matter
from sagelet.web.forms.folder import ModelFolder
from sagelet.web.forms.model_facts import model_facts
from sagelet.web.forms.sources import ui_settings

_LONGEST = 40_000
_LONGEST_TITLE = 120
_HEADINGS_BELOW = 2
_TAGS = frozenset(
    {"a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p"}
    | {"pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
_SCHEMES = frozenset({"http", "https", "mailto"})


@dataclass(frozen=True, slots=True)
class About:
    """A title, and a description that is safe to show as it is; either may be empty."""

    title: str
    description_html: Markup


async def about(backend: Backend, endpoint: str) -> About:
    """Return what an endpoint's model says of itself.

    Raises:
        EndpointNotFound: there is no endpoint of that name.
    """
    facts = await model_facts(backend, endpoint)
    if facts.folder is None:
        return About("", Markup())
    return await asyncio.to_thread(about_model, facts.folder)


def about_model(folder: ModelFolder) -> About:
    """Return what a model says of itself, in its settings or in its README. It blocks."""
    settings, _ = ui_settings(folder)
    text = settings.description
    if not text:
        path = folder.file(*README)
        text = (folder.text(path) if path is not None else None) or ""
        text = front_matter(text)[1]
    title, html = rendered(text)
    return About(settings.title or title, html)


def rendered(text: str) -> tuple[str, Markup]:
    """Return the heading that a text begins with (or nothing), and the rest as HTML."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = parser.parse(text[:_LONGEST])
    title = ""
    if len(tokens) > 1 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        title = _words(tokens[1])[:_LONGEST_TITLE]
        tokens = tokens[3:]
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            # The page has headings of its own above these.
            token.tag = f"h{min(6, int(token.tag[1:]) + _HEADINGS_BELOW)}"
        token.children = [_without_image(each) for each in token.children or []]
    html = parser.renderer.render(tokens, parser.options, {})
    return title, Markup(_cleaned(html))  # noqa: S704  cleaned


def _without_image(token: Token) -> Token:
    if token.type != "image":
        return token
    return Token("text", "", 0, content=token.content)


def _words(token: Token) -> str:
    return "".join(each.content for each in token.children or [])


def _cleaned(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={"a": {"href"}, "ol": {"start"}},
        attribute_filter=_kept,
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )


def _kept(_element: str, attribute: str, value: str) -> str | None:
    """Keep links to elsewhere; a path would lead into our own pages."""
    if attribute != "href":
        return value
    scheme = value.partition(":")[0].lower()
    return value if scheme in _SCHEMES else None
