"""NumPy reads what is written, and what NumPy writes is read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sagelet.web.forms import npy, values_of
from sagelet.web.forms.filling import fill
from tests.form_models import a_form, begins_as


def saved(array: Any) -> bytes:  # noqa: ANN401  whatever NumPy saves
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("dtype", sorted(npy.FORMATS))
def test_numpy_reads_every_type_that_is_written(dtype: str) -> None:
    written = npy.write([["1", "2"], ["3", "100"]], dtype)
    array = np.load(io.BytesIO(written))
    assert array.dtype == np.dtype(dtype)
    assert array.tolist() == [[1, 2], [3, 100]]
    assert len(written) % 64 == array.nbytes % 64, "the data is aligned, as NumPy's own"


@pytest.mark.parametrize(
    "array", [np.array([[0.1, 2.5]], "f4"), np.array([1, -5], "i8"), np.array([[255]], "u1")]
)
def test_an_array_is_shown_and_comes_out_as_it_was(array: object, tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/a.npy": saved(array)})
    assert form.encoding == "npy"
    assert begins_as(form) == saved(array)


def test_numbers_are_as_short_as_their_type_allows() -> None:
    assert npy.read(saved(np.array([0.1, 1 / 3], "f4")), 10).rows == (("0.1", "0.33333334"),)


def test_another_array_of_the_same_kind_is_shown_in_the_fields(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/a.npy": saved(np.zeros((1, 2), "f4"))})
    other = saved(np.array([[1.5, 2], [3, 4]], "f4"))
    values = values_of(form, other)
    assert values["f.body"] == ["1.5, 2\n3, 4"]
    assert fill(form, values) == other


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\x01\x00\xff\xff",
        saved(np.zeros((2, 2, 2))),
        saved(np.array(["text"])),
        saved(np.zeros((0, 2))),
        saved(np.zeros((1000, 1000))),
        saved(np.zeros((2, 2)))[:-1],
        saved(np.asfortranarray(np.zeros((2, 3)))),
        b"\x93NUMPY\x01\x00\x10\x00__import__('os')\n",
    ],
)
def test_what_is_no_small_plain_array_is_refused(content: bytes) -> None:
    with pytest.raises(npy.NotSimple):
        npy.read(content, 20_000)


@pytest.mark.parametrize(
    ("cell", "dtype"), [("1.5", "<i4"), ("300", "|u1"), ("-1", "<u8"), ("1e39", "<f4")]
)
def test_a_number_that_does_not_fit_is_refused(cell: str, dtype: str) -> None:
    with pytest.raises(npy.NotSimple):
        npy.write([[cell]], dtype)
