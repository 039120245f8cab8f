"""How a real browser gets in, from where, and what it sends on the way."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web.conftest import Pages
from tests.web.served import Web
from tests.web.watched import Faults


class _Linking(http.server.BaseHTTPRequestHandler):
    link = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f'<a href="{self.link}">Go</a><img src="{self.link}">'.encode())

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@contextmanager
def another_site(link: str, name: str) -> Iterator[str]:
    """Serve a page with a link, and the same as a picture; yield where it is."""
    handler = type("Linking", (_Linking,), {"link": link})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{name}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_the_token_signs_in_and_is_gone_from_the_address(web: Web, a_page: Pages) -> None:
    page = a_page(web, signed_in=False)
    page.goto(f"/login?next=/about#t={web.one_time_token()}")
    page.wait_for_url(f"{web.address}/about")
    assert page.evaluate("document.cookie") == ""
    page.go_back()
    assert "#t=" not in page.url


def test_a_file_leads_on_as_sagelet_ui_has_it(
    web: Web, a_page: Pages, faults: Faults, tmp_path: Path
) -> None:
    faults.allow("request to another origin: file:")
    file = tmp_path / "login.html"
    url = f"{web.address}/login#t={web.one_time_token()}"
    file.write_text(f'<meta http-equiv="refresh" content="0; url={url}">')
    page = a_page(web, signed_in=False)
    page.goto(file.as_uri())
    page.wait_for_url(f"{web.address}/")


def test_a_link_of_another_site_leads_whoever_is_signed_in_to_the_page(
    web: Web, page: Page, faults: Faults
) -> None:
    faults.allow("request to another origin: http://localhost")
    faults.allow("status of 403|ERR_BLOCKED_BY_RESPONSE")  # the picture
    wanted = f"{web.address}/keys?from=elsewhere"
    with another_site(wanted, "localhost") as site:
        page.goto(site)
        page.get_by_role("link").click()
        page.wait_for_url(wanted)
    expect(page.get_by_role("heading", level=1)).to_have_text("API keys")


def test_a_link_of_another_site_leads_a_visitor_to_sign_in(
    web: Web, a_page: Pages, faults: Faults
) -> None:
    faults.allow("request to another origin: http://localhost")
    faults.allow("status of 403|ERR_BLOCKED_BY_RESPONSE")  # the picture
    page = a_page(web, signed_in=False)
    with another_site(f"{web.address}/keys", "localhost") as site:
        page.goto(site)
        page.get_by_role("link").click()
        page.wait_for_url("**/login?next=/keys")
    expect(page.get_by_label("Token")).to_be_visible()
    expect(page.get_by_test_id("go-on")).to_have_attribute("href", "/keys")


def test_without_scripts_a_pasted_token_signs_in(web: Web, a_page: Pages) -> None:
    page = a_page(web, signed_in=False, scripts=False)
    page.goto("/keys")
    page.get_by_label("Token").fill(web.one_time_token())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/keys")


def test_a_key_is_made_copied_and_revoked(
    web: Web, page: Page, axe: Callable[[Page], None]
) -> None:
    page.goto("/keys")
    page.get_by_label("Name", exact=True).fill("phone")
    page.get_by_label(web.name, exact=True).check()
    page.get_by_role("button", name="Create key").click()
    key = page.get_by_test_id("new-key").inner_text()
    copy = page.locator("[data-copy='#new-key']")
    copy.click()
    expect(copy).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == key
    axe(page)
    page.get_by_role("link", name="Revoke phone").click()
    axe(page)
    page.get_by_role("button", name="Revoke").click()
    page.wait_for_url("**/keys")
    expect(page.get_by_role("heading", name="API keys")).to_be_visible()
    expect(page.get_by_role("link", name="Revoke phone")).to_have_count(0)


def test_signing_out_everywhere_leads_to_signing_in(web: Web, a_page: Pages) -> None:
    first, second = a_page(web), a_page(web)
    first.goto("/keys")
    first.get_by_role("button", name="Sign out everywhere").click()
    first.wait_for_url("**/login")
    second.goto("/keys")
    second.wait_for_url("**/login?next=/keys")
