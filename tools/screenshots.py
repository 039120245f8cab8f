"""Makes a picture of each page, at three widths and in both themes: `make screenshots`.

They go to docs/screenshots/, and docs/screenshots.md shows them. What they show is made here, in a
daemon of its own: endpoints of the tests' model, good and bad calls, jobs that ended both ways.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from sagelet.domain.home import Home
from tests.end_to_end.local_aws import LocalAws
from tests.web.article import BODY
from tests.web.pages import PAGES, Shown
from tests.web.served import Web, serve_article
from tests.web.shown import LONG_NAME, show

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
PAGE = FOLDER.parent / "screenshots.md"
WIDTHS = (320, 768, 1440)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
HEIGHT = 900
TALLEST = 1800
QUALITY = 55
SETTLE_MS = 400
EPOCH_S = 1.0


def main(wanted: list[str]) -> None:
    """Make the pictures of the pages that are named, or of all."""
    pages = [p for p in PAGES if p.is_pictured and (not wanted or p.name in wanted)]
    with a_daemon() as (web, names), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        FOLDER.mkdir(exist_ok=True)
        for theme in THEMES:
            for width in WIDTHS:
                for shown in pages:
                    shoot(browser, web, shown, names, width, theme)
        browser.close()
    PAGE.write_text(document(), encoding="utf-8")


@contextmanager
def a_daemon() -> Iterator[tuple[Web, Mapping[str, str]]]:
    """Serve what the pictures show."""
    root = Path(tempfile.mkdtemp(prefix="sagelet-screenshots-"))
    local = LocalAws(Home(root / "home"))
    # Jobs show which interpreter runs them: not one in somebody's own folders.
    (root / "venv").symlink_to(sys.prefix)
    up = [str(root / "venv" / "bin" / "python"), "-m", "sagelet", "up", "--port", "0"]
    subprocess.run(up, env=local.environment, check=True, capture_output=True)
    try:
        web = serve_article(local, root / "model")
        names = show(web, root / "shown", pause_s=EPOCH_S)
        fill(web, root)
        yield web, names
    finally:
        local.sagelet("down")
        shutil.rmtree(root)


def fill(web: Web, root: Path) -> None:
    """Have what a person would have: more endpoints, one of which fails, and no trying name."""
    web.local.remove_endpoint(LONG_NAME)
    for name in ("sentiment", "sentiment-next"):
        web.local.deploy(name, web.folder)
        web.local.wait_in_service(name)
        for _ in range(40):
            web.local.invoke(name, BODY)
    broken = Path(shutil.copytree(web.folder, root / "broken"))
    (broken / "code" / "inference.py").write_text("import a_module_that_is_not_there\n")
    web.local.deploy("sentiment-broken", broken)
    web.local.wait_settled("sentiment-broken")


def shoot(
    browser: Browser,
    web: Web,
    shown: Shown,
    names: Mapping[str, str],
    width: int,
    theme: Literal["light", "dark"],
) -> None:
    """Make one picture."""
    context = browser.new_context(
        base_url=web.address,
        viewport={"width": width, "height": HEIGHT},
        color_scheme=theme,
        reduced_motion="reduce",
    )
    if shown.is_owners:
        web.sign_in(context)
    page = context.new_page()
    page.goto(shown.path.format(**names))
    if shown.name == "predict":
        predict(page)
    # What follows events and draws itself has nothing to wait for that says when it is done.
    page.wait_for_timeout(SETTLE_MS)
    png = page.screenshot(full_page=True)
    context.close()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, TALLEST)))
    picture.save(FOLDER / file_name(shown, width, theme), quality=QUALITY, method=6)


def predict(page: Page) -> None:
    """Choose the article's example and run it."""
    page.get_by_label("Example").select_option("wimbledon")
    page.get_by_role("button", name="Fill in").click()
    page.wait_for_url("**ex=wimbledon*")
    page.get_by_test_id("run").click()
    page.locator(".bar-label").first.wait_for()


def file_name(shown: Shown, width: int, theme: str) -> str:
    """Return the name of a picture's file."""
    return f"{shown.name}-{width}-{theme}.webp"


def document() -> str:
    """Return the page that shows the pictures which there are."""
    parts = [
        "# Screenshots",
        "Each page of [the web app](architecture/07-web.md) at 320 and 1440 px, made by "
        "`make screenshots`. The endpoints and jobs are those of the tests.",
    ]
    for shown in PAGES:
        wide, phone = (file_name(shown, width, "light") for width in (1440, 320))
        dark = file_name(shown, 1440, "dark")
        if not (FOLDER / wide).exists():
            continue
        parts += [
            f"## {shown.name.replace('-', ' ').capitalize()}",
            f"![{shown.name}, light](screenshots/{wide})",
            f"![{shown.name}, dark](screenshots/{dark})",
            f"![{shown.name}, on a phone](screenshots/{phone})",
        ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
