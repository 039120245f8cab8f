"""Browsers and programs that the owner lets in, by the command line, at a real daemon."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.end_to_end.local_aws import LocalAws, eventually


def data(local: LocalAws, *arguments: str) -> Any:  # noqa: ANN401  the command's
    return json.loads(local.sagelet(*arguments, "--json").stdout)


def sign_in(client: httpx.Client, url: str) -> httpx.Response:
    """Do what the page's script does with an address that `sagelet ui` printed."""
    at = urlsplit(url)
    token = parse_qs(at.fragment)["t"][0]
    wanted = parse_qs(at.query).get("next", ["/"])[0]
    return client.post("/login", data={"token": token, "next": wanted})


@pytest.fixture
def browser(local: LocalAws) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=local.info.address, trust_env=False) as client:
        yield client


def test_ui_prints_what_signs_a_browser_in_once(local: LocalAws, browser: httpx.Client) -> None:
    url = local.sagelet("ui", "--no-open").stdout.strip()
    assert url.startswith(f"{local.info.address}/login#t=")
    first = sign_in(browser, url)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert browser.get("/").status_code == 200
    assert sign_in(browser, url).status_code == 401


def test_ui_names_an_endpoint_that_is_not_there(local: LocalAws) -> None:
    refused = local.sagelet("ui", "not-there", code=4)
    assert "no endpoint is named 'not-there'" in refused.stderr


def test_the_browser_is_started_with_a_file_that_leads_on(
    own_daemon: LocalAws, tmp_path: Path
) -> None:
    seen, program = tmp_path / "seen", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > "{seen}.part"; mv "{seen}.part" "{seen}"\n')
    program.chmod(0o700)
    local = replace(own_daemon, variables={"BROWSER": f"{program} %s"})
    said = data(local, "ui")
    assert said["opened"] is True
    eventually(seen.exists, "the browser was started")
    assert seen.read_text().strip() == local.home.login_page.as_uri()
    assert stat.S_IMODE(local.home.login_page.stat().st_mode) == 0o600
    assert f'content="0; url={said["url"]}"' in local.home.login_page.read_text()


def test_a_key_is_made_listed_and_revoked(local: LocalAws, browser: httpx.Client) -> None:
    made = local.sagelet("keys", "create", "a program", "--days", "7")
    key = made.stdout.strip()
    assert re.fullmatch(r"sgl_live_\w{8}_\w{32}", key)
    key_id = key.split("_")[2]
    try:
        listed = local.sagelet("keys", "ls").stdout
        assert f"a program  sgl_live_{key_id}  all" in listed
        assert key not in listed
        asked = browser.post(
            "/api/v1/predict/not-there", headers={"authorization": f"Bearer {key}"}
        )
        assert asked.status_code == 404
    finally:
        assert data(local, "keys", "revoke", f"sgl_live_{key_id}", "-y") == {"revoked": key_id}
    again = browser.post("/api/v1/predict/not-there", headers={"x-api-key": key})
    assert again.status_code == 401
    assert data(local, "keys", "ls") == {"keys": []}


def test_what_makes_no_sense_has_the_exit_code_of_its_kind(local: LocalAws) -> None:
    assert (
        "no endpoint not-there"
        in local.sagelet("keys", "create", "x", "--endpoint", "not-there", code=2).stderr
    )
    assert (
        "is not like https://example.com"
        in local.sagelet("keys", "create", "x", "--origin", "example.com", code=2).stderr
    )
    local.sagelet("keys", "create", "x", "--days", "-1", code=2)
    gone = local.sagelet("keys", "revoke", "abcdefgh", "-y", code=4)
    assert 'Could not find API key "abcdefgh".' in gone.stderr
    unsure = local.sagelet("keys", "revoke", "abcdefgh", "--no-input", code=2)
    assert "--yes" in unsure.stderr


def test_sessions_and_keys_outlive_the_daemon_as_digests_only(own_daemon: LocalAws) -> None:
    local = own_daemon
    key = data(local, "keys", "create", "kept", "--days", "0")["key"]
    url = data(local, "ui", "--no-open")["url"]
    with httpx.Client(base_url=local.info.address, trust_env=False) as client:
        sign_in(client, url)
        (cookie,) = client.cookies.jar
        assert cookie.name == f"sagelet_session_{local.place[1]}"
    port = str(local.place[1])
    local.sagelet("down")
    local.sagelet("up", "--port", port)
    with httpx.Client(base_url=local.info.address, trust_env=False) as client:
        client.cookies.set(cookie.name, cookie.value or "")
        assert client.get("/").status_code == 200
        client.cookies.clear()
        assert client.post("/api/v1/predict/none", headers={"x-api-key": key}).status_code == 404
    secrets = [url.rpartition("=")[2], cookie.value or "", key, key.rpartition("_")[2]]
    for file in local.home.root.rglob("*"):
        if not file.is_file():
            continue
        text = file.read_bytes()
        assert not [each for each in secrets if each.encode() in text], file
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
