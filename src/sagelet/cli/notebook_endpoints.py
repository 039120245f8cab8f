"""`sagelet.Endpoint`: an endpoint in a script or a notebook, which shows it and its answers.

endpoint = sagelet.Endpoint("sentiment")
endpoint.predict([["The Wimbledon tournament starts next week!"]])
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sagelet.cli.calls import Call, Reply, reply_of
from sagelet.cli.output import safe
from sagelet.cli.payloads import Payload
from sagelet.domain.media import JSON

if TYPE_CHECKING:
    from sagelet.environments.deploy_env import DeployEnv
    from sagelet.web.results.bars import Bars

_COLOURS = {"InService": "#2f6f5e", "Failed": "#b3372b"}
_BAR_PX = 160
_TEXT_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True, repr=False)
class Prediction:
    """What a model answered; notebooks draw probabilities as bars."""

    reply: Reply
    sent: Payload

    @property
    def value(self) -> Any:  # noqa: ANN401  whatever the model answers
        """The answer: JSON's value, else its text."""
        return self.reply.content()

    @property
    def body(self) -> bytes:
        """The answer's bytes."""
        return self.reply.body

    def __repr__(self) -> str:
        """Return the answer as text, with how long it took."""
        return f"{safe(_text(self.value))}\n({self.reply.ms:.1f} ms)"

    def _repr_html_(self) -> str:
        """Return the answer as HTML."""
        from sagelet.web.results.contents import shown
        from sagelet.web.results.inputs import sent_rows

        sent = sent_rows(self.sent.body, self.sent.content_type)
        bars = "".join(_bars_in(shown(self.reply.body, self.reply.content_type, sent).view))
        text = f"<pre>{escape(safe(_text(self.value)))}</pre>"
        whole = f"<details><summary>the whole answer</summary>{text}</details>" if bars else text
        return f"<div>{bars}{whole}<div>{self.reply.ms:.1f} ms</div></div>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return the answer in the forms that IPython may show."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


class Endpoint:
    """An endpoint of an environment: what it is now, and a call of it."""

    def __init__(self, name: str, env: DeployEnv | str | None = None) -> None:
        """Name one; `env` is an environment or its name, as for `DeployEnv`.

        Raises:
            ConfigError: there is no such environment.
        """
        from sagelet.environments.deploy_env import DeployEnv

        self.name = name
        self._env = env if isinstance(env, DeployEnv) else DeployEnv(None, env, start=Path.cwd())

    @property
    def description(self) -> Mapping[str, Any]:
        """DescribeEndpoint's answer.

        Raises:
            RemoteError: the API answered with an error, or not at all.
        """
        from sagelet.environments.translation import translating

        client = self._env.client()
        with translating("DescribeEndpoint", environment=self._env.current_env()):
            return client.describe_endpoint(EndpointName=self.name)

    @property
    def page(self) -> str:
        """The address of its page; nothing where it is not on this machine."""
        if not self._env.is_local():
            return ""
        return f"{self._env.daemon().address}/endpoints/{quote(self.name, safe='')}"

    def predict(
        self,
        value: Any,  # noqa: ANN401  whatever the model takes
        *,
        content_type: str = JSON,
        accept: str | None = None,
        variant: str | None = None,
    ) -> Prediction:
        """Send a value: bytes and texts as they are, everything else as JSON.

        Raises:
            RemoteRefused: the endpoint is not there, or its model failed.
            RemoteUnreachable: nothing answered.
            TypeError, ValueError: the value cannot be written as JSON.
        """
        from sagelet.environments.translation import translating

        sent = Payload(_body_of(value), content_type)
        call = Call(self.name, accept=accept, variant=variant)
        client = self._env.runtime_client()
        begun = time.perf_counter()
        with translating("InvokeEndpoint", environment=self._env.current_env()):
            said = client.invoke_endpoint(**call.parameters(sent))
            body = said["Body"].read()
        return Prediction(reply_of(said, body, begun), sent)

    def __repr__(self) -> str:
        """Return its name, its status, and where its page is."""
        described = self.description
        reason = str(described.get("FailureReason", ""))
        first = f"endpoint {self.name}: {described['EndpointStatus']}"
        return "\n".join(safe(line) for line in (first, reason, self.page) if line)

    def _repr_html_(self) -> str:
        """Return the same as HTML."""
        described = self.description
        status = str(described["EndpointStatus"])
        reason = escape(safe(str(described.get("FailureReason", ""))))
        page = escape(self.page)
        link = f'<div><a href="{page}" target="_blank" rel="noopener">{page}</a></div>'
        return (
            f'<div><b>{escape(self.name)}</b> <span style="color:'
            f'{_COLOURS.get(status, "currentColor")}">{escape(status)}</span>'
            f"{f'<pre>{reason}</pre>' if reason else ''}{link if page else ''}</div>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return it in the forms that IPython may show."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def _body_of(value: object) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= _TEXT_CHARACTERS else f"{text[:_TEXT_CHARACTERS]}…"


def _bars_in(view: object) -> Iterator[str]:
    """Yield the probabilities of a view, one table each."""
    from sagelet.web.results.bars import Bars
    from sagelet.web.results.rows import Rows
    from sagelet.web.results.sections import Sections

    match view:
        case Bars():
            yield _table(view)
        case Rows():
            for card in view.cards:
                yield from _bars_in(card.view)
        case Sections():
            for section in view.sections:
                yield from _bars_in(section.view)
        case _:
            return


def _table(bars: Bars) -> str:
    rows = "".join(
        f'<tr><td>{escape(safe(bar.label))}</td><td><meter value="{bar.width}" max="100" '
        f'style="width:{_BAR_PX}px"></meter></td><td>{escape(bar.share)}</td></tr>'
        for bar in bars.shown
    )
    return f"<table>{rows}</table>"
