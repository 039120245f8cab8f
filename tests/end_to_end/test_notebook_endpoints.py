"""`sagelet.Endpoint` in a script: what it is, what it answers, how it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.end_to_end.local_aws import LocalAws

HANDLERS = """\
import json


def model_fn(model_dir):
    return 2


def predict_fn(data, model):
    return {"few": 1 / len(data), "many": 1 - 1 / len(data)}
"""
SCRIPT = """\
import json, sagelet

endpoint = sagelet.Endpoint("counting", "local")
found = endpoint.predict([1, 2, 3, 4])
print(json.dumps([found.value, found._repr_html_(), repr(endpoint), endpoint._repr_html_()]))
try:
    endpoint.predict([])
except sagelet.SageletError as error:
    print(error)
"""


def test_it_tells_what_it_is_predicts_and_shows_both(local: LocalAws, tmp_path: Path) -> None:
    folder = tmp_path / "counting"
    folder.mkdir()
    (folder / "inference.py").write_text(HANDLERS)
    with local.deployed("counting", folder):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=tmp_path,
            env=local.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    first, failure = done.stdout.split("\n", 1)
    value, bars, text, html = json.loads(first)
    assert value == {"few": 0.25, "many": 0.75}
    assert bars.index("many") < bars.index("few")
    assert text.startswith("endpoint counting: InService\nhttp://127.0.0.1:")
    assert text.endswith("/endpoints/counting")
    assert 'target="_blank" rel="noopener"' in html
    assert "ZeroDivisionError" in failure
