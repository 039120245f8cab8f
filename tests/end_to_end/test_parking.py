"""`sagelet up --park-after`: an idle endpoint has no workers, and wakes with a request."""

from __future__ import annotations

import json
from pathlib import Path

from sagelet.domain.home import Home
from tests.end_to_end.local_aws import LocalAws, eventually

HANDLERS = """\
def model_fn(model_dir):
    return "model"


def transform_fn(model, body, content_type, accept):
    return body, accept
"""


def test_an_idle_endpoint_is_parked_and_wakes_with_a_request(tmp_path: Path) -> None:
    local = LocalAws(Home(tmp_path / "home"))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "inference.py").write_text(HANDLERS)
    local.sagelet("up", "--port", "0", "--park-after", "1", "--live-workers", "8")
    try:
        with local.deployed("idle", folder):

            def is_parked() -> bool:
                said = local.sagelet("describe", "endpoint/idle", "--json").stdout
                (variant,) = json.loads(said)["Sagelet"]["variants"]
                return bool(variant["is_parked"]) and not variant["workers"]

            assert local.invoke("idle", "[1]") == "[1]"
            eventually(is_parked, "the endpoint is parked")
            said = local.sagelet("describe", "endpoint/idle").stdout
            assert "workers   none: parked until the next request" in said
            assert local.invoke("idle", "[2]") == "[2]"
    finally:
        local.sagelet("down")
