"""Each way in which sane is kinder than the container: what sane does, what strict does."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sagelet.worker.serving.differences import DIFFERENCES, Refused
from sagelet.worker.spec import CONTAINER_LIMIT_BYTES
from tests.serving_projects import Project, serving

MODEL = "def model_fn(model_dir):\n    return lambda data: data\n"
ECHO = MODEL + (
    "def transform_fn(model, data, content_type, accept):\n"
    "    return repr((type(data).__name__, content_type, accept))\n"
)
EXITS = "strict: the worker ends"


def answering(body: str, *, before: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    head = "def transform_fn(model, data, content_type, accept, context):\n"
    return f"{before}{MODEL}{head}{lines}"


@dataclass(frozen=True)
class Case:
    """A request and the two answers to it: status, content type, and the body or its beginning."""

    source: str
    sane: tuple[int, str | None, str]
    strict: tuple[int, str | None, str] | str
    body: bytes = b"[1, 2]"
    content_type: str | None = "application/json"
    accept: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    limit: int | None = None


def npy(value: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value)
    return buffer.getvalue()


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
FORMATS = "('str', 'application/json', 'application/json')"
DEFAULTS = MODEL + "def predict_fn(data, model):\n    return model(data)\n"
CASES = {
    "media-type-parameters": Case(
        ECHO,
        content_type="application/json; charset=utf-8",
        sane=(200, JSON, FORMATS),
        strict=(200, JSON, "('bytearray', 'application/json; charset=utf-8', 'application/json')"),
    ),
    "media-type-case": Case(
        DEFAULTS,
        content_type="Application/JSON",
        sane=(200, JSON, "[1.0, 2.0]"),
        strict=(500, None, "Content type Application/JSON is not supported by this framework."),
    ),
    "quality-values": Case(
        DEFAULTS,
        accept="text/html;q=0.9, application/json;q=0.8",
        sane=(200, JSON, "[1.0, 2.0]"),
        strict=(500, None, "Content type text/html;q=0.9, application/json;q=0.8 is not supported"),
    ),
    "media-ranges": Case(
        DEFAULTS,
        accept="application/*",
        sane=(200, JSON, "[1.0, 2.0]"),
        strict=(500, None, "Content type application/* is not supported"),
    ),
    "accept-list": Case(
        DEFAULTS,
        accept="text/html, application/json",
        sane=(200, JSON, "[1.0, 2.0]"),
        strict=(200, "text/html, application/json", "[1.0, 2.0]"),
    ),
    "unsupported-415": Case(
        DEFAULTS,
        content_type="application/octet-stream",
        sane=(415, None, "Content type application/octet-stream is not supported"),
        strict=(500, None, "Content type application/octet-stream is not supported"),
    ),
    "unsupported-406": Case(
        DEFAULTS,
        accept="image/png",
        sane=(406, None, "Content type image/png is not supported"),
        strict=(500, None, "Content type image/png is not supported"),
    ),
    "npy-pickle": Case(
        DEFAULTS,
        content_type="application/x-npy",
        body=npy(np.array([{}], dtype=object)),
        sane=(500, None, "The body is an array of Python objects"),
        strict=(500, None, "The body is an array of Python objects"),
    ),
    "scalar-body": Case(
        DEFAULTS,
        body=b"2000000000",
        sane=(500, None, "The body is a single value (2000000000)"),
        strict=(500, None, "The body is a single value (2000000000)"),
    ),
    "utf8-error": Case(
        answering("raise ValueError('zu groß')"),
        sane=(500, None, "zu groß\nTraceback"),
        strict=(500, None, "The text of this error is not ASCII. (SageMaker's container: the req"),
    ),
    "utf8-status": Case(
        answering("context.set_response_status(201, 'Créé')\nreturn 'made'"),
        sane=(201, JSON, "made"),
        strict=(500, None, "The phrase 'Créé' is not ASCII. (SageMaker's container: the request"),
    ),
    "answer-metadata": Case(
        answering("context.set_response_header(0, 'X-Count', 3)\nreturn 'counted'"),
        sane=(200, JSON, "counted"),
        strict=(500, None, "The header 'X-Count' is set to 3, which is no text. (SageMaker's"),
    ),
    "unsendable-result": Case(
        answering("loop = []\nloop.append(loop)\nreturn loop"),
        sane=(500, None, "The result contains itself or is nested too deep"),
        strict=(500, None, "The result contains itself or is nested too deep"),
    ),
    "generator": Case(
        answering("return (word for word in ['to', 'ken'])"),
        sane=(200, JSON, "token"),
        strict=(503, JSON, '{\n  "code": 503,'),
    ),
    "request-too-large": Case(
        answering("return str(len(data))"),
        body=bytes(CONTAINER_LIMIT_BYTES + 1),
        content_type="application/octet-stream",
        sane=(200, JSON, "6553501"),
        strict=(413, None, ""),
    ),
    "response-too-large": Case(
        answering("return 'x' * 11"),
        limit=10,
        sane=(500, None, "The answer has 11 bytes; the limit is 10."),
        strict=(500, None, "The answer has 11 bytes; the limit is 10. (SageMaker's container: th"),
    ),
    "header-case": Case(
        answering("return str(context.get_request_header(0, 'x-amzn-sagemaker-inference-id'))"),
        headers=(("X-Amzn-SageMaker-Inference-Id", "abc"),),
        sane=(200, JSON, "abc"),
        strict=(200, JSON, "None"),
    ),
    "form-body": Case(
        answering("return repr(data)"),
        content_type=FORM,
        body=b"body=a+b&other=c",
        sane=(200, JSON, "bytearray(b'body=a+b&other=c')"),
        strict=(200, JSON, "bytearray(b'a b')"),
    ),
    "system-exit": Case(
        answering("sys.exit(3)", before="import sys\n"), sane=(500, None, "3\nTrace"), strict=EXITS
    ),
}


def asked(
    tmp_path: Path, case: Case, contract: str
) -> tuple[tuple[int, str | None, str], tuple[str, ...]]:
    """Return status, content type and body of the answer, and the ids that it carries."""
    files = {"inference.py": case.source}
    most = CONTAINER_LIMIT_BYTES if contract == "strict" else None  # as hosting has it
    with serving(
        tmp_path,
        files,
        contract=contract,
        max_request_bytes=most,
        max_response_bytes=case.limit,
    ) as project:
        header, body = project.ask(case.body, case.content_type, case.accept, dict(case.headers))
    found = (header["status"], header["content_type"], body.decode())
    return found, tuple(header.get("differs", ()))


def begins(found: tuple[int, str | None, str], wanted: tuple[int, str | None, str]) -> bool:
    return found[:2] == wanted[:2] and found[2].startswith(wanted[2])


def test_every_counted_difference_has_a_case() -> None:
    assert set(CASES) == {row.id for row in DIFFERENCES if row.counted}
    assert len({row.id for row in DIFFERENCES}) == len(DIFFERENCES)


@pytest.mark.parametrize("difference", CASES)
def test_a_sane_answer_says_what_strict_would_have_done_otherwise(
    tmp_path: Path, difference: str
) -> None:
    case = CASES[difference]
    found, differs = asked(tmp_path, case, "sane")
    assert begins(found, case.sane), found
    assert differs == (difference,)


@pytest.mark.parametrize("difference", CASES)
def test_strict_answers_as_the_container_or_says_why_not(tmp_path: Path, difference: str) -> None:
    case = CASES[difference]
    if isinstance(case.strict, str):
        with pytest.raises(SystemExit):
            asked(tmp_path, case, "strict")
        return
    found, differs = asked(tmp_path, case, "strict")
    assert begins(found, case.strict), found
    assert differs == ()


@pytest.mark.parametrize(
    ("content_type", "accept"),
    [(JSON, JSON), (JSON, None), (JSON, "*/*"), ("text/csv", "text/csv"), (None, JSON)],
)
def test_a_request_that_strict_answers_alike_carries_nothing(
    tmp_path: Path, content_type: str | None, accept: str | None
) -> None:
    answers = []
    for contract in ("sane", "strict"):
        with serving(tmp_path, {"inference.py": ECHO}, contract=contract) as project:
            header, body = project.ask(b"[1]", content_type, accept)
            answers.append((header["status"], header["content_type"], body))
            assert "differs" not in header
    assert answers[0] == answers[1]


def test_an_answer_that_is_sent_though_it_is_over_the_containers_limit_is_counted(
    tmp_path: Path,
) -> None:
    source = answering(f"return 'x' * {CONTAINER_LIMIT_BYTES + 1}")
    with serving(tmp_path, {"inference.py": source}, contract="sane") as project:
        header, body = project.ask(b"x")
    assert (header["status"], len(body)) == (200, CONTAINER_LIMIT_BYTES + 1)
    assert header["differs"] == ["response-too-large"]


def test_one_requests_differences_are_not_the_nexts(tmp_path: Path) -> None:
    with serving(tmp_path, {"inference.py": ECHO}) as project:
        first, _ = project.ask(b"1", "Text/CSV")
        second, _ = project.ask(b"1", "text/csv")
        third, _ = project.ask(b"1", "Text/CSV")
    assert (first.get("differs"), second.get("differs")) == (["media-type-case"], None)
    assert third.get("differs") == ["media-type-case"]


@pytest.mark.parametrize(
    ("accept", "ids"),
    [
        ("text/csv;q=0.5, application/json", ["quality-values"]),
        ("application/json; indent=2", ["media-type-parameters"]),
        ("text/html, */*", ["media-ranges"]),
        ("Application/JSON", ["media-type-case"]),
        ("text/html;q=0.5, */*;q=0.1", ["quality-values", "media-ranges"]),
    ],
)
def test_what_an_accept_header_takes_is_named(tmp_path: Path, accept: str, ids: list[str]) -> None:
    with serving(tmp_path, {"inference.py": DEFAULTS}) as project:
        header, body = project.ask(b"[1]", JSON, accept)
    assert (header["status"], body) == (200, b"[1.0]")
    assert header["differs"] == ids


@pytest.mark.parametrize(
    ("body", "first_line"),
    [
        ("context.set_response_status('201')\nreturn ''", "The status is set to '201'"),
        ("return '', None", "The content type None is no text."),
        ("return '', 'text/plain; name=é'", "The content type 'text/plain; name=é' is not ASCII."),
        ("return '\\ud800'", "The result is text that is no Unicode"),
    ],
)
def test_what_would_end_the_containers_worker_is_said(
    tmp_path: Path, body: str, first_line: str
) -> None:
    files = {"inference.py": answering(body)}
    with serving(tmp_path, files, contract="strict") as project:
        header, text = project.ask(b"")
    assert header["status"] == 500
    assert text.decode().startswith(first_line)
    assert "(SageMaker's container: the " in text.decode().partition("\n")[0]


def test_an_objects_pickle_is_never_run(tmp_path: Path) -> None:
    written = tmp_path / "written"

    class Evil:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return Path.touch, (written,)

    def refused(project: Project, body: bytes) -> None:
        header, _ = project.ask(body, "application/x-npy")
        assert header["status"] == 500

    for contract in ("sane", "strict"):
        with serving(tmp_path / contract, {"inference.py": DEFAULTS}, contract=contract) as project:
            refused(project, pickle.dumps(Evil()))
            refused(project, npy(np.array([Evil()], dtype=object)))
    assert not written.exists()


def test_a_refusal_says_what_the_container_would_do() -> None:
    text = str(Refused("scalar-body", "The body is a single value."))
    assert text.startswith("The body is a single value. (SageMaker's container: ")
