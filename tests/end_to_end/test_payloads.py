"""`sagelet test`: a project's payloads, its recorded answers, both contracts, and batches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.local_aws import LocalAws, eventually

CONFIG = """\
environments:
  local: {model_name: doubled}
serve: {entry_point: serve.py}
"""
HANDLERS = """\
import json


def model_fn(model_dir):
    return 2


def input_fn(body, content_type):
    return json.loads(body) if "json" in content_type else float(body)


def predict_fn(data, model):
    return data * model


def output_fn(prediction, accept):
    return json.dumps({"y": prediction}), "application/json"
"""
BATCHES = """

def predict_batch_fn(inputs, model):
    return [WRONG for each in inputs]
"""


@pytest.fixture
def project(local: LocalAws, tmp_path: Path, nothing_lost: None) -> Path:
    (tmp_path / "sagelet.yml").write_text(CONFIG)
    (tmp_path / "serve.py").write_text(HANDLERS)
    payloads = tmp_path / "tests" / "payloads"
    payloads.mkdir(parents=True)
    (payloads / "one.json").write_text("1.5")
    (payloads / "two.csv").write_text("2.5\n")
    return tmp_path


def verdicts(said: str) -> dict[str, str]:
    return {
        line.split()[1]: line.split()[0] for line in said.splitlines() if not line.startswith(" ")
    }


def gone(local: LocalAws) -> None:
    eventually(lambda: not any("doubled" in name for name in local.names("endpoints")), "removed")


def test_answers_are_recorded_and_then_compared_within_a_tolerance(
    local: LocalAws, project: Path
) -> None:
    recorded = local.sagelet("test", "--record", cwd=project)
    names = {"tests/payloads/one.json": "recorded", "tests/payloads/two.csv": "recorded"}
    assert verdicts(recorded.stdout) == names
    answer = project / "tests" / "payloads" / "one.answer.json"
    assert answer.read_text() == '{"y": 3.0}'

    answer.write_text('{"y": 3.0001}')
    said = local.sagelet("test", cwd=project)
    assert set(verdicts(said.stdout).values()) == {"ok"}
    assert "sane and strict: 2 ok" in said.stderr

    answer.write_text('{"y": 3.1}')
    said = local.sagelet("test", cwd=project, code=3)
    assert verdicts(said.stdout)["tests/payloads/one.json"] == "differs"
    assert "    recorded: $.y: 3.0 is not 3.1\n" in said.stdout
    gone(local)


def test_a_handler_that_fails_and_one_that_depends_on_the_contract(
    local: LocalAws, project: Path
) -> None:
    code = HANDLERS.replace("return data * model", "return data * model if data < 2 else 1 / 0")
    (project / "serve.py").write_text(code)
    said = json.loads(local.sagelet("test", "--json", cwd=project, code=1).stdout)
    one, two = said["payloads"]
    assert (one["verdict"], two["verdict"]) == ("ok", "failed")
    assert two["why"][0].startswith("predict_fn failed at serve.py:")
    assert said["asked"] == ["sane", "strict"]

    # The real container hands an Accept with a weight on as it was sent.
    code = HANDLERS.replace("json.dumps({", 'accept + json.dumps({"type": str(accept), ')
    (project / "serve.py").write_text(code)
    accept = ("--accept", "application/json;q=0.5")
    said = json.loads(local.sagelet("test", "--json", *accept, cwd=project, code=3).stdout)
    assert said["payloads"][0]["verdict"] == "differs"
    assert said["payloads"][0]["why"][0].startswith("strict: ")
    gone(local)


def test_a_batch_function_that_answers_otherwise_than_one_by_one_is_found(
    local: LocalAws, project: Path
) -> None:
    good = HANDLERS + BATCHES.replace("WRONG", "each * model")
    (project / "serve.py").write_text(good)
    said = local.sagelet("test", cwd=project)
    assert "sent at once: as one by one" in said.stderr

    slow = "    import time\n    time.sleep(0.05)\n    return data * model"
    bad = good.replace("    return data * model", slow).replace("each * model", "len(inputs)")
    (project / "serve.py").write_text(bad)
    said = local.sagelet("test", cwd=project, code=3)
    assert "sent with others: $.y:" in said.stdout
    assert "not as one by one" in said.stderr
    gone(local)


def test_a_bare_folder_is_tested_and_a_project_without_payloads_is_told(
    local: LocalAws, project: Path
) -> None:
    (project / "sagelet.yml").unlink()
    said = local.sagelet("test", "tests/payloads/one.json", cwd=project)
    assert verdicts(said.stdout) == {"tests/payloads/one.json": "ok"}
    (project / "tests" / "payloads" / "one.json").unlink()
    (project / "tests" / "payloads" / "two.csv").unlink()
    assert "no payloads in" in local.sagelet("test", cwd=project, code=2).stderr
    eventually(lambda: not any("-test-" in name for name in local.names("endpoints")), "removed")


def test_an_endpoint_that_is_named_is_asked_and_left(local: LocalAws, project: Path) -> None:
    local.sagelet("deploy", cwd=project)
    try:
        said = local.sagelet("test", "--endpoint", "doubled", cwd=project)
        assert "local: 2 ok" in said.stderr
        assert "doubled InService" in local.names("endpoints")
    finally:
        local.sagelet("rm", "doubled", "--yes", cwd=project)
        gone(local)


def test_deploy_takes_workers_contract_and_a_sample_that_has_to_be_answered(
    local: LocalAws, project: Path
) -> None:
    def described() -> dict[str, object]:
        said = local.sagelet("describe", "endpoint/doubled", "--json", cwd=project).stdout
        (variant,) = json.loads(said)["Sagelet"]["variants"]
        return {"contract": variant["contract"], "workers": len(variant["workers"])}

    sample = ("--sample", "tests/payloads/one.json")
    local.sagelet("deploy", "--contract", "strict", "--workers", "1", *sample, cwd=project)
    try:
        assert described() == {"contract": "strict", "workers": 1}
        (project / "tests" / "payloads" / "bad.json").write_text("{}")
        refused = local.sagelet(
            "deploy", "--workers", "2", "--sample", "tests/payloads/bad.json", cwd=project, code=1
        )
        assert "TypeError: unsupported operand" in refused.stderr
        assert "it still serves" in refused.stderr
        assert described() == {"contract": "strict", "workers": 1}
    finally:
        local.sagelet("rm", "doubled", "--yes", cwd=project)
        for kind in ("model", "config"):  # of the deployment that was refused
            left = [name for name in local.names(f"{kind}s") if name.startswith("doubled-")]
            local.sagelet("rm", *(f"{kind}/{name}" for name in left), "--yes")
        gone(local)
