"""Pages in a real browser, in front of a real daemon.

    web       the suite's daemon, which serves the article's model (`web.name`, `web.address`)
    names     what else the suite's daemon has, by the names that `tests.web.pages` uses
    page      a signed-in page; the test fails on any complaint of its console, on a violated
              policy, and on a request to another origin, unless `faults.allow(…)` expects it
    a_page    makes further pages: dark, narrow, without scripts, signed out
    axe       `axe(page)` fails on what axe-core finds serious or critical
    own_web   a daemon of the test's own, for tests that edit its model or treat it badly

The tests here are plain functions, with Playwright's synchronous API. They run after all others:
that API holds a loop of its own in this thread, under which no other asynchronous test could run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from sagelet.domain.home import Home
from tests.end_to_end.local_aws import REPOSITORY, LocalAws, eventually
from tests.web import accessibility
from tests.web.served import Web, serve_article
from tests.web.shown import show
from tests.web.watched import Faults

TRACES = REPOSITORY / "build" / "traces"
PATIENCE_MS = 10_000
# What Debian's Chromium would ask the network for by itself.
ARGUMENTS = ["--disable-quic", "--disable-gpu"]

_HAS_FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.is_relative_to(here))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]  # what the hook returns
    if report.when == "call" and report.failed:
        item.stash[_HAS_FAILED] = True
    return report  # type: ignore[return-value]  # as a wrapper passes it on


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program is not None, "Chromium is not there: `make .venv-web/ready` installs it"
    is_root = os.geteuid() == 0
    browser = playwright.chromium.launch(
        executable_path=program, args=[*ARGUMENTS, *(["--no-sandbox"] if is_root else [])]
    )
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The suite's daemon; it must meet with nothing that nobody foresaw."""
    root = tmp_path_factory.mktemp("web")
    local = LocalAws(Home(root / "home"))
    local.sagelet("up", "--port", "0")
    yield serve_article(local, root / "model")
    local.sagelet("down")
    eventually(lambda: not local.processes(), "every process has ended")
    log = local.home.daemon_log.read_text()
    assert "Traceback" not in log, log


@pytest.fixture(scope="session")
def names(web: Web, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Jobs that ended and calls that were made, in the suite's daemon."""
    return show(web, tmp_path_factory.mktemp("shown"))


@pytest.fixture
def own_web(tmp_path: Path) -> Iterator[Web]:
    """A daemon of the test's own."""
    local = LocalAws(Home(tmp_path / "own home"))
    local.sagelet("up", "--port", "0")
    yield serve_article(local, tmp_path / "model")
    local.sagelet("down")


@pytest.fixture
def faults() -> Iterator[Faults]:
    """What went wrong in the test's browsers."""
    faults = Faults()
    yield faults
    assert not faults.unexpected(), "\n".join(faults.unexpected())


@dataclass
class Pages:
    """Makes pages; each is a browser of its own, without anybody's cookies."""

    browser: Browser
    faults: Faults
    contexts: list[BrowserContext]

    def __call__(
        self,
        web: Web,
        *,
        signed_in: bool = True,
        scripts: bool = True,
        width: int = 1280,
        theme: Literal["light", "dark"] = "light",
    ) -> Page:
        context = self.browser.new_context(
            base_url=web.address,
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            java_script_enabled=scripts,
            # What moves is measured and shot while it moves.
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        self.faults.watch(context, web.address)
        context.tracing.start(snapshots=True)
        if signed_in:
            web.sign_in(context)
        return context.new_page()


@pytest.fixture
def a_page(browser: Browser, faults: Faults, request: pytest.FixtureRequest) -> Iterator[Pages]:
    """Makes pages, of any daemon; what a failed test did in them is kept in build/traces."""
    pages = Pages(browser, faults, [])
    yield pages
    has_failed = request.node.stash.get(_HAS_FAILED, False)
    for number, context in enumerate(pages.contexts):
        name = "".join(c if c.isalnum() else "-" for c in request.node.name)[:100]
        kept = TRACES / f"{name}-{number}.zip" if has_failed else None
        context.tracing.stop(path=kept)
        context.close()


@pytest.fixture
def page(web: Web, a_page: Pages) -> Page:
    """A page of the suite's daemon, signed in; nothing is open in it yet."""
    return a_page(web)


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Fails where axe-core finds something serious or critical in a page."""
    return accessibility.check
