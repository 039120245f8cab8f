"""Bodies of every type and kind, read by decoder.decode and by the default input_fn."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import scipy.sparse

from tests.oracle.case import CSV, JSON, NPY, NPZ, OCTETS, Case
from tests.oracle.shapes import SHAPES


def _both(name: str, body: bytes, content_type: str | None) -> tuple[Case, Case]:
    """A body to the decoder alone, and to the default handlers."""
    return (
        Case(f"decoder: {name}", SHAPES["decoded"], body, content_type),
        Case(
            f"default input: {name}",
            SHAPES["identity"],
            body,
            content_type,
            is_uninitialised=name.partition(", ")[2] in _SIZES,
        ),
    )


def _npy(array: object, *, version: tuple[int, int] = (1, 0)) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array), version=version)
    return buffer.getvalue()


def _npz(matrix: object) -> bytes:
    buffer = io.BytesIO()
    scipy.sparse.save_npz(buffer, matrix, compressed=False)
    return buffer.getvalue()


def _arrays(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # whatever an array is made of
    return buffer.getvalue()


_JSON: Mapping[str, bytes] = {
    "a list": b"[1, 2, 3]",
    "rows": b"[[1, 2], [3, 4]]",
    "floats": b"[1.2, 2.5, -0.0, 1e-45]",
    "three dimensions": b"[[[1, 2]], [[3, 4]]]",
    "booleans": b"[true, false]",
    "a boolean among numbers": b"[true, 2.5]",
    "integers beyond float32": b"[16777217, 2147483647]",
    "floats beyond float32": b"[1e39, -1e39]",
    "floats beyond float64": b"[1e400]",
    "NaN and Infinity": b"[NaN, Infinity, -Infinity]",
    "an integer of 64 bits": b"[9223372036854775807]",
    "an integer of 65 bits": b"[18446744073709551615]",
    "an integer of 200 bits": b"[1606938044258990275541962092341162602522202993782792835301376]",
    "an empty list": b"[]",
    "an empty row": b"[[]]",
    "ragged rows": b"[[1, 2], [3]]",
    "ragged depths": b"[1, [2]]",
    "an object": b'{"inputs": [1]}',
    "null": b"null",
    "null in a list": b"[1, null]",
    "strings": b'["a", "bc"]',
    "strings of digits": b'["1", "2"]',
    "a string among numbers": b'[1, "a"]',
    "objects in a list": b'[{"a": 1}]',
    "unicode": '["ä", "日本"]'.encode(),
    "escapes": b'["\\u00e4\\ud83d\\ude00"]',
    "white space around": b" \n[ 1 ,2 ]\t\r\n",
    "a scalar string": b'"text"',
    "white space only": b"  \n",
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf[1]",
    "no UTF-8": b"[\xff]",
    "UTF-16": "[1]".encode("utf-16"),
    "something after": b"[1] x",
    "two lines": b"[1]\n[2]",
    "single quotes": b"['a']",
    "no JSON": b"hello",
    "cut off": b"[1, 2",
    "a deep one": b"[" * 40 + b"1" + b"]" * 40,
    "deeper than an array may be": b"[" * 70 + b"1" + b"]" * 70,
    "a NUL": b"[1\x00]",
}

# A bare integer is a size to torch.FloatTensor, whose memory then goes to the client.
_SIZES = ("a bare integer", "one integer", "one integer and a comment")

_SCALARS: Mapping[str, bytes] = {
    "a bare integer": b"3",
    "a bare float": b"1.5",
    "a bare boolean": b"true",
    "a bare NaN": b"NaN",
    "a bare zero": b"0",
    "a bare negative": b"-1",
}

_CSV: Mapping[str, bytes] = {
    "a row": b"1,2,3",
    "a row and its end": b"1,2,3\n",
    "rows": b"1,2\n3,4\n",
    "a column": b"1\n2\n3\n",
    "floats": b"1.5,2\n3,4e2",
    "blanks": b" 1 , 2 \n 3 , 4 ",
    "CRLF": b"1,2\r\n3,4\r\n",
    "CR": b"1,2\r3,4",
    "blank lines": b"1,2\n\n\n3,4\n\n",
    "a comment at the end": b"1,2 # two\n3,4",
    "a comment line": b"# a, b\n1,2\n3,4",
    "a comment only": b"# nothing",
    "an integer missing": b"1,,3\n4,5,6",
    "an integer missing in a row": b"1,,3",
    "a float missing": b"1.5,,3.5\n4.5,5.5,6.5",
    "a column of missing": b"1,\n2,\n",
    "a trailing comma": b"1,2,\n3,4,",
    "a header": b"a,b\n1,2",
    "columns of several types": b"1,a\n2,b",
    "integers and floats by column": b"1,1.5\n2,2.5",
    "strings": b"a,b",
    "booleans": b"True,False\ntrue,false",
    "ragged rows": b"1,2\n3",
    "nothing": b"",
    "an end of line": b"\n",
    "a comma": b",",
    "nan and inf": b"nan,inf,-inf\n1,2,3",
    "NaN in capitals": b"NaN,1",
    "quotes": b'"1","2"',
    "semicolons": b"1;2",
    "tabs": b"1\t2",
    "hexadecimal": b"0x10,1",
    "a thousands separator": b"1_000,2",
    "a complex number": b"1+2j,3",
    "an integer of 64 bits": b"9223372036854775807,1",
    "an integer of 65 bits": b"18446744073709551616,1",
    "unicode": "ä,ö".encode(),
    "unicode among numbers": "1,½".encode(),
    "a byte order mark": b"\xef\xbb\xbf1,2",
    "no UTF-8": b"1,\xff",
    "plus signs": b"+1,+2.5",
    "a NUL": b"1,\x002",
}

_CSV_SCALARS: Mapping[str, bytes] = {
    "one integer": b"7",
    "one float": b"7.5\n",
    "one integer and a comment": b"3 # three",
    "one boolean": b"True",
}

_NPY: Mapping[str, bytes] = {
    "float32": _npy(np.array([[1.2, 2.5]], dtype="<f4")),
    "float64": _npy(np.array([[1.2, 2.5]], dtype="<f8")),
    "float16": _npy(np.array([1.5], dtype="<f2")),
    "int64": _npy(np.array([1, 2], dtype="<i8")),
    "int32": _npy(np.array([1, 2], dtype="<i4")),
    "int8": _npy(np.array([-1, 2], dtype="|i1")),
    "uint8": _npy(np.array([1, 255], dtype="|u1")),
    "uint16": _npy(np.array([1, 65535], dtype="<u2")),
    "booleans": _npy(np.array([True, False])),
    "complex": _npy(np.array([1 + 2j], dtype="<c8")),
    "Fortran order": _npy(np.asfortranarray(np.array([[1.0, 2.0], [3.0, 4.0]]))),
    "big-endian": _npy(np.array([1.5], dtype=">f4")),
    "three dimensions": _npy(np.arange(8, dtype="<f4").reshape(2, 2, 2)),
    "no elements": _npy(np.zeros((0, 3), dtype="<f4")),
    "a scalar": _npy(np.float32(2.5)),
    "strings": _npy(np.array(["a", "bcd"])),
    "dates": _npy(np.array(["2020-01-01"], dtype="<M8[D]")),
    "records": _npy(np.array([(1, 2.5)], dtype=[("a", "<i4"), ("b", "<f4")])),
    "a header of version 2": _npy(np.array([1.0]), version=(2, 0)),
    "bytes after the array": _npy(np.array([1.0])) + b"more",
    "an array cut off": _npy(np.array([1.0, 2.0]))[:-4],
    "a header cut off": _npy(np.array([1.0]))[:20],
    "an archive of arrays": _arrays(a=np.array([1.0])),
    "nothing": b"",
}

# What may be a pickle is refused here before it is looked at.
_PICKLES: Mapping[str, bytes] = {
    "pickled objects": _npy(np.array([{"a": 1}, None], dtype=object)),
    "a pickle without a header": b"\x80\x04K\x05.",
    "no array": b"hello",
}

_CSR = scipy.sparse.csr_matrix(np.array([[0.0, 1.5], [2.5, 0.0]]))

_NPZ: Mapping[str, bytes] = {
    "csr": _npz(_CSR),
    "csc": _npz(_CSR.tocsc()),
    "coo": _npz(_CSR.tocoo()),
    "bsr": _npz(_CSR.tobsr()),
    "dia": _npz(_CSR.todia()),
    "an array of csr": _npz(scipy.sparse.csr_array(_CSR)),
    "integers": _npz(_CSR.astype("int32")),
    "other arrays": _arrays(a=np.array([1.0])),
    "a matrix without data": _arrays(format=np.array(b"csr"), shape=np.array([2, 2])),
    "an unknown format": _arrays(format=np.array(b"xyz"), shape=np.array([2, 2])),
    "no archive": b"hello",
    "nothing": b"",
    "an array that is no archive": _npy(np.array([1.0])),
}

_UNREAD: tuple[tuple[str, str | None], ...] = (
    ("bytes", OCTETS),
    ("text", "text/plain"),
    ("JSON lines", "application/jsonlines"),
    ("a type with a charset", "application/json; charset=utf-8"),
    ("a type with a charset, tight", "text/csv;charset=utf-8"),
    ("a type in capitals", "Application/JSON"),
    ("a type with a blank", " application/json"),
    ("a type in two", "application/json, text/csv"),
    ("an unknown type", "x/y"),
    ("an empty type", ""),
    ("no type", None),
)

CASES: tuple[Case, ...] = (
    *(case for name, body in _JSON.items() for case in _both(f"JSON, {name}", body, JSON)),
    *(case for name, body in _SCALARS.items() for case in _both(f"JSON, {name}", body, JSON)),
    *(case for name, body in _CSV.items() for case in _both(f"CSV, {name}", body, CSV)),
    *(case for name, body in _CSV_SCALARS.items() for case in _both(f"CSV, {name}", body, CSV)),
    *(case for name, body in _NPY.items() for case in _both(f"npy, {name}", body, NPY)),
    *(case for name, body in _PICKLES.items() for case in _both(f"npy, {name}", body, NPY)),
    *(case for name, body in _NPZ.items() for case in _both(f"npz, {name}", body, NPZ)),
    *(case for name, kind in _UNREAD for case in _both(name, b"[1, 2]", kind)),
)
