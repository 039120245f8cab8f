"""What the daemon knows of a running endpoint, as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sagelet.cli.context import App
from sagelet.environments.local_api import LocalApi

Facts = Mapping[str, Any]


def local_api(app: App) -> LocalApi:
    """Return the own API of the daemon, which is started if it is not there."""
    from sagelet.environments.credentials import load_or_create

    env = app.deploy_env()
    return LocalApi(env.daemon().address, load_or_create(env.home), env.region)


def lines(facts: Facts) -> Iterator[str]:
    """Yield what an endpoint is doing: each variant, its workers, load, times, differences."""
    if facts.get("port"):
        yield f"container's own port: {facts['port']}"
    for variant in facts["variants"]:
        yield from _variant(variant)


def _variant(variant: Facts) -> Iterator[str]:
    name, generation, contract = (variant[key] for key in ("variant", "generation", "contract"))
    requests, errors, waiting = (variant[key] for key in ("requests", "errors", "waiting"))
    yield f"{name}: generation {generation}, contract {contract}"
    yield f"  workers   {_workers(variant)}"
    yield f"  requests  {requests}, {errors} failed, {waiting} waiting"
    for title, figures in (
        ("latency", variant["latency_ms"]),
        ("phases", variant["phases_ms"]),
    ):
        if figures:
            said = "  ".join(f"{name} {ms:.2f}" for name, ms in figures.items())
            yield f"  {title:8}  {said}  ms"
    if variant["differs"]:
        said = ", ".join(f"{name} {count} times" for name, count in variant["differs"].items())
        yield f"  strict would have answered otherwise: {said}"


def _workers(variant: Facts) -> str:
    if variant["is_parked"]:
        return "none: parked until the next request"
    said = [
        f"{worker['pid']}{' (busy)' if worker['is_busy'] else ''}" for worker in variant["workers"]
    ]
    return f"{len(said)}: pid {', '.join(said)}" if said else "none"
