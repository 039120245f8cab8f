"""The handlers' wire format, and what deploy.py packs for them."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from text_classification.classifier import TextClassifier

EXAMPLE = Path(__file__).parents[3] / "examples" / "text-classification"
PAYLOAD = (EXAMPLE / "tests" / "payloads" / "wimbledon.json").read_text()


@pytest.fixture(scope="module")
def model(serve: ModuleType, model_dir: Path) -> TextClassifier:
    classifier: TextClassifier = serve.model_fn(str(model_dir))
    return classifier


def answers(serve: ModuleType, model: TextClassifier, body: str | bytes) -> list[dict[str, Any]]:
    texts = serve.input_fn(body, "application/json")
    body_back = serve.output_fn(serve.predict_fn(texts, model), "application/json")
    found: list[dict[str, Any]] = json.loads(body_back)
    return found


def test_the_articles_payload_gets_the_articles_answer(
    serve: ModuleType, model: TextClassifier
) -> None:
    found = answers(serve, model, PAYLOAD)
    assert [set(answer) for answer in found] == [{"probabilities", "top_n_grams"}] * 2
    assert [set(answer["top_n_grams"]) for answer in found] == [{"2", "3", "4"}] * 2
    assert [next(iter(answer["probabilities"])) for answer in found] == ["Sports", "World"]


def test_the_n_grams_of_short_texts_are_empty(serve: ModuleType, model: TextClassifier) -> None:
    one, none = answers(serve, model, b'[["law"], [""]]')
    assert one["top_n_grams"] == none["top_n_grams"] == {"2": "", "3": "", "4": ""}


def test_two_hundred_texts_are_answered_at_once(serve: ModuleType, model: TextClassifier) -> None:
    body = json.dumps([[f"Le match n° {number} à Tōkyō 🎾"] for number in range(200)])
    assert len(answers(serve, model, body)) == 200


@pytest.mark.parametrize(
    "body",
    ["", "{", "5", "null", '["text"]', "[[5]]", "[[]]", '[["a", "b"]]', '{"a": ["b"]}', b"\xff"],
)
def test_a_body_of_another_shape_is_the_callers_error(serve: ModuleType, body: str | bytes) -> None:
    with pytest.raises(serve.errors.GenericInferenceToolkitError) as caught:
        serve.input_fn(body, "application/json")
    assert caught.value.status_code == 400
    assert '[["a text"], ["another text"]]' in caught.value.message


@pytest.mark.parametrize("content_type", [None, "text/csv", "application/x-npy"])
def test_only_json_is_read(serve: ModuleType, content_type: str | None) -> None:
    with pytest.raises(serve.errors.UnsupportedFormatError):
        serve.input_fn("[]", content_type)


def test_a_charset_may_follow_the_content_type(serve: ModuleType) -> None:
    assert serve.input_fn(b'[["a"]]', "application/json; charset=utf-8") == ["a"]


def test_the_archive_holds_the_model_and_the_code_that_serves_it(
    load_script: Callable[[str], ModuleType], model_dir: Path, tmp_path: Path
) -> None:
    for folder in ("deploy", "text_classification"):
        shutil.copytree(EXAMPLE / folder, tmp_path / folder)
    shutil.copytree(model_dir, tmp_path / "experiments" / "latest")
    deploy = load_script(str(tmp_path / "deploy" / "sagemaker" / "deploy.py"))

    deploy.pack()

    with tarfile.open(tmp_path / "build" / "model.tar.gz") as archive:
        names = set(archive.getnames())
    code = {f"code/text_classification/{path.name}" for path in EXAMPLE.glob("text_*/*.py")}
    model = {"metrics.json", "model.json", "weights.pt"}
    assert names == model | code | {"code/serve.py", "code/text_classification"}


def test_there_is_nothing_to_pack_before_training(
    load_script: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLE / "deploy", tmp_path / "deploy")
    deploy = load_script(str(tmp_path / "deploy" / "sagemaker" / "deploy.py"))
    with pytest.raises(SystemExit, match=r"run `python train.py` first"):
        deploy.pack()
