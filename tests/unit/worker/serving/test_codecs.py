"""Bodies to arrays and back, and the default handlers for PyTorch on top of them."""

from __future__ import annotations

import io
import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sagelet.worker.serving import media_types
from sagelet.worker.serving.codecs import CODECS, LibraryMissing
from sagelet.worker.serving.defaults import ModelLoadError, PyTorchDefaults, choose
from sagelet.worker.serving.differences import Refused
from sagelet.worker.serving.toolkit_errors import UnsupportedFormatError

JSON = "application/json"


def test_json_becomes_an_array() -> None:
    assert CODECS.decode("[[1, 2], [3, 4]]", JSON).shape == (2, 2)


def test_json_is_written_with_spaces_and_ascii_as_the_toolkit_does() -> None:
    assert CODECS.encode({"a": [1.5, "ä"]}, JSON) == '{"a": [1.5, "\\u00e4"]}'


def test_arrays_inside_a_value_become_lists() -> None:
    assert CODECS.encode({"p": torch.tensor([1, 2])}, JSON) == '{"p": [1, 2]}'


def test_what_is_not_a_number_is_written_as_the_toolkit_does() -> None:
    assert CODECS.encode([float("nan"), float("inf")], JSON) == "[NaN, Infinity]"


@pytest.mark.parametrize("content_type", [None, "application/json; charset=utf-8", "image/png"])
def test_content_types_are_compared_exactly_by_the_codecs(content_type: str | None) -> None:
    with pytest.raises(UnsupportedFormatError):
        CODECS.decode("[1]", content_type)


def test_the_unsupported_text_is_the_toolkits_with_its_indentation() -> None:
    lines = str(UnsupportedFormatError("x/y")).split("\n")
    assert lines[0] == "Content type x/y is not supported by this framework."
    assert lines[2].startswith(" " * 12 + "Please implement input_fn to to deserialize")


@pytest.mark.parametrize(
    ("accept", "order"),
    [
        ("text/csv;q=0.5, application/json", ["application/json", "text/csv"]),
        ("text/csv, application/json", ["text/csv", "application/json"]),
        ("text/csv;q=0, */*;q=0.1", ["*/*"]),
        ("text/csv;q=x", []),
    ],
)
def test_accepted_types_are_ordered_by_their_weight(accept: str, order: list[str]) -> None:
    assert media_types.preferences(accept) == order


@pytest.mark.parametrize("accept", ["application/*", "*/*;q=0.8", "text/html, application/json"])
def test_the_default_output_finds_a_codec_for_media_ranges(accept: str) -> None:
    assert choose(accept) == JSON


def test_the_default_input_is_a_float_tensor() -> None:
    tensor = PyTorchDefaults().input_fn("[[1, true], [2, 3]]", "application/json; charset=utf-8")
    assert tensor.dtype == torch.float32
    assert tensor.tolist() == [[1.0, 1.0], [2.0, 3.0]]


@pytest.mark.parametrize("body", ["5", "2000000000", "true", "1.5"])
def test_a_single_number_is_refused_and_not_taken_for_a_size(body: str) -> None:
    with pytest.raises(ValueError, match="single value"):
        PyTorchDefaults().input_fn(body, JSON)


def test_the_default_output_of_a_tensor_is_the_toolkits() -> None:
    answer = PyTorchDefaults().output_fn(torch.tensor([1.2, 2.0]), JSON)
    assert answer == ("[1.2000000476837158, 2.0]", JSON)
    assert PyTorchDefaults(strict=True).output_fn(torch.tensor(6.0), JSON) == "6.0"


def test_the_default_prediction_is_made_in_evaluation_mode_without_gradients() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Dropout(0.9))
    model.train()
    result = PyTorchDefaults().predict_fn(torch.ones(1, 2), model)
    assert not model.training
    assert not result.requires_grad


# torch deprecates TorchScript; the container's contract is still made of it.
torchscript = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


@torchscript
def test_the_one_torchscript_file_is_loaded(tmp_path: Path) -> None:
    scripted = torch.jit.script(torch.nn.Linear(2, 1))
    torch.jit.save(scripted, str(tmp_path / "any.pth"))
    model = PyTorchDefaults().model_fn(str(tmp_path))
    assert model(torch.ones(1, 2)).shape == (1, 1)


def test_two_files_are_refused_with_the_toolkits_words(tmp_path: Path) -> None:
    for name in ("a.pt", "b.pth"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"^Exactly one .pth or .pt file is required"):
        PyTorchDefaults().model_fn(str(tmp_path))


@torchscript
def test_a_state_dict_is_refused_with_the_toolkits_words(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(1)}, tmp_path / "model.pt")
    with pytest.raises(ModelLoadError, match="ensure model is saved using torchscript"):
        PyTorchDefaults().model_fn(str(tmp_path))


def test_json_written_is_json_read() -> None:
    assert json.loads(CODECS.encode([[1, 2.5, None]], JSON)) == [[1, 2.5, None]]


def test_csv_has_a_type_for_each_column_and_minus_one_for_a_missing_integer() -> None:
    array = CODECS.decode("1,,3\n4,5,6\n", media_types.CSV)
    assert array.tolist() == [[1, -1, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("value", "text"),
    [([1, 2.5], "1.0\n2.5\n"), ([["a", "ä"]], "a,ä\n"), ([None, True], "None\nTrue\n")],
)
def test_csv_is_written_a_line_for_each_row_without_quotes(value: object, text: str) -> None:
    assert CODECS.encode(value, media_types.CSV) == text


def test_an_npy_array_is_read_and_written() -> None:
    written = CODECS.encode(torch.tensor([[1.5, 2.5]]).tolist(), media_types.NPY)
    array = CODECS.decode(bytearray(written), media_types.NPY)
    assert (array.dtype.str, array.tolist()) == ("<f8", [[1.5, 2.5]])


def test_an_npz_matrix_is_read_and_never_written() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    buffer = io.BytesIO()
    sparse.save_npz(buffer, sparse.csr_matrix([[0, 1], [2, 0]]))
    matrix = CODECS.decode(bytearray(buffer.getvalue()), media_types.NPZ)
    assert matrix.toarray().tolist() == [[0, 1], [2, 0]]
    with pytest.raises(UnsupportedFormatError):
        CODECS.encode([1], media_types.NPZ)


class Canary:
    """Says so when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return setattr, (Canary, "sang", True)  # type: ignore[return-value]  # what pickle calls


@pytest.mark.parametrize("header", [True, False])
def test_a_pickle_in_an_npy_body_is_refused_and_not_run(*, header: bool) -> None:
    if header:
        buffer = io.BytesIO()
        np.save(buffer, np.array([Canary()], dtype=object))
        body = buffer.getvalue()
    else:
        body = pickle.dumps(Canary())
    with pytest.raises(Refused, match="pickle") as refused:
        CODECS.decode(bytearray(body), media_types.NPY)
    assert refused.value.difference == "npy-pickle"
    assert not hasattr(Canary, "sang")


def test_a_project_without_numpy_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(LibraryMissing, match=r"text/csv needs numpy, which this project's") as why:
        CODECS.decode("1,2", media_types.CSV)
    assert why.value.name == "numpy"
    assert CODECS.encode({"a": [1]}, JSON) == '{"a": [1]}'


def test_a_project_without_scipy_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.delitem(sys.modules, "scipy.sparse", raising=False)
    with pytest.raises(LibraryMissing, match="application/x-npz needs scipy"):
        CODECS.decode(b"", media_types.NPZ)
