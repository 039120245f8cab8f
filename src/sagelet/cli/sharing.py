"""Making endpoints public from a terminal: on what terms, and where others get to them."""

from __future__ import annotations

from typing import Any

from sagelet.cli.context import App
from sagelet.environments.local_api import LocalApi

OFF = "off"


def share(
    app: App, api: LocalApi, endpoint: str, access: str, *, slug: str | None, per_minute: int | None
) -> None:
    """Put an endpoint on terms, and say where it is now."""
    asked = {"access": access, "slug": slug or "", "per_minute": per_minute}
    shared = api.publish(endpoint, asked)
    if app.output.json:
        app.output.document(shared)
        return
    if shared["access"] == OFF:
        app.output.say(f"{endpoint} is private")
        return
    who = "anybody" if shared["access"] == "open" else "whoever has an API key for it"
    addresses = shared["addresses"]
    app.output.text(addresses.get("public") or addresses["preview"])
    app.output.say(f"{endpoint} is public: {who} may ask it, {shared['per_minute']} times a minute")
    if "public" not in addresses:
        app.output.say(
            "others do not reach it yet: `sagelet ui --public ADDRESS:PORT` opens a port for them"
        )


def open_listener(
    app: App, api: LocalApi, address: str, *, proxies: tuple[str, ...], public_url: str | None
) -> None:
    """Open the public listener, and say what can be reached by it."""
    document = {
        "address": address,
        "trusted_proxies": list(proxies),
        "public_url": public_url or "",
    }
    opened = api.open_public_listener(document)
    if app.output.json:
        app.output.document(opened)
        return
    app.output.text(opened["url"])
    for line in _warnings(opened):
        app.output.say(line, style="red")
    app.output.say("`sagelet ui --public off` closes it; so does the end of the daemon")


def close_listener(app: App, api: LocalApi) -> None:
    """Close the public listener."""
    api.close_public_listener()
    if app.output.json:
        app.output.document({"is_open": False})
    else:
        app.output.say("the public listener is closed")


def _warnings(opened: dict[str, Any]) -> list[str]:
    names = ", ".join(opened["publications"]) or "no endpoint yet (`sagelet ui NAME --share open`)"
    return [
        f"whoever reaches {opened['address']} port {opened['port']} can now ask: {names}",
        "the connection is plain HTTP: TLS is for a proxy before it",
    ]
