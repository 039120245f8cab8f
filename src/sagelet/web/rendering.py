"""Templates: one environment that escapes everything, static files by their content's hash.

A request with the header `x-fragment: NAME` gets only the block NAME of the page's template. The
page's scripts ask for one so when the stream of events says that what it shows has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, nodes
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from sagelet import __version__
from sagelet.web.access.guard import principal
from sagelet.web.access.principals import Owner
from sagelet.web.faults import Refused

STATIC = Path(__file__).parent / "static"
FRAGMENT = "x-fragment"
THEMES = ("auto", "light", "dark")
THEME_COOKIE = "sagelet_theme"


class Rendering:
    """Renders templates. What each of them may use besides its own context:

    `ui`, the macros of `_macros.html.j2`; `owner` (an Owner, or nothing), `csrf`, `theme`, `path`
    (of the request), `version`; `newest_event`, the number of what happened last before the page
    was made; `static(name)`, a static file's address; the filters `as_json`, `size`, `ms`, `when`.
    """

    def __init__(self) -> None:
        """Read no template yet."""
        self.environment = Environment(
            loader=PackageLoader("sagelet.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._addresses: dict[str, str] = {}
        self._chains: dict[str, list[str]] = {}
        self.environment.globals.update(static=self.static, version=__version__)
        self.environment.filters.update(as_json=as_json, size=size, ms=ms, when=when)

    def page(
        self,
        request: Request,
        template: str,
        /,
        status: int = 200,
        **context: Any,  # noqa: ANN401  the template's
    ) -> HTMLResponse:
        """Return a page, or the one block of it that is asked for.

        Raises:
            Refused: 404 for a block that the page does not have.
        """
        who = principal(request)
        theme = request.cookies.get(THEME_COOKIE, "auto")
        whole: Mapping[str, Any] = {
            "owner": who if isinstance(who, Owner) else None,
            "csrf": (who.csrf or "") if isinstance(who, Owner) else "",
            "theme": theme if theme in THEMES else "auto",
            "path": request.url.path,
            "newest_event": getattr(request.state, "newest_event", ""),
            **context,
        }
        # A block that is rendered alone has nothing that its page's template imports.
        macros = self.environment.get_template("_macros.html.j2").make_module(dict(whole))
        whole = {**whole, "ui": macros}
        wanted = request.headers.get(FRAGMENT)
        rendered = self._block(template, wanted, whole) if wanted is not None else None
        if rendered is not None:
            return HTMLResponse(rendered, status)
        # An error's page is none that has the block: whoever asked for that gets the whole.
        if wanted is not None and status < 400:
            raise Refused(404, f"{template} has no block {wanted[:80]!r}")
        return HTMLResponse(self.environment.get_template(template).render(whole), status)

    def _block(self, template: str, wanted: str, whole: Mapping[str, Any]) -> str | None:
        """Return one block, with those of the templates that its own extends, if there is one."""
        chain = [self.environment.get_template(name) for name in self._chain(template)]
        context = chain[0].new_context(dict(whole))
        for ancestor in chain[1:]:
            for name, block in ancestor.blocks.items():
                context.blocks.setdefault(name, []).append(block)
        if wanted not in context.blocks:
            return None
        return "".join(context.blocks[wanted][0](context))

    def _chain(self, template: str) -> list[str]:
        """Return a template and those that it extends, from the page to the base."""
        if template not in self._chains:
            loader = self.environment.loader
            assert loader is not None
            tree = self.environment.parse(loader.get_source(self.environment, template)[0])
            extends = tree.find(nodes.Extends)
            base = extends.template if extends is not None else None
            further = self._chain(base.value) if isinstance(base, nodes.Const) else []
            self._chains[template] = [template, *further]
        return self._chains[template]

    def static(self, name: str) -> str:
        """Return the address of a static file, which changes with its content."""
        if name not in self._addresses:
            digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:8]
            self._addresses[name] = f"/static/{name}?v={digest}"
        return self._addresses[name]


def as_json(value: object) -> Markup:
    """Return a value as JSON that may stand in `<script type="application/json">`."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704  the five characters that end a script element are gone


def size(count: float) -> str:
    """Return a number of bytes, such as 1.4 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def ms(value: float) -> str:
    """Return milliseconds, as precise as they matter: 0.41 ms, 12 ms, 1.9 s."""
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"


def when(at: datetime) -> Markup:
    """Return a time as an element, which the page's script shows in words and the reader's zone."""
    shown = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), shown)
