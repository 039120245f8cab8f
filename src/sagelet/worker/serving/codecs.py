"""Bodies to arrays and back: one table, read by the default handlers and by the stand-in.

The results are byte for byte those of SageMaker's toolkit for PyTorch, whose functions these are
(tests/oracle compares them). Only what may be a pickle is refused: reading one runs what it says.
numpy and scipy are the project's own, and are imported when a body needs them.
"""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Callable

from sagelet.worker.serving import media_types
from sagelet.worker.serving.differences import Refused
from sagelet.worker.serving.toolkit_errors import UnsupportedFormatError

_NPY_MAGIC = b"\x93NUMPY"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_PICKLED = "Object arrays cannot be loaded"


class LibraryMissing(ImportError):
    """A codec needs a package that the project does not have."""


@dataclass(frozen=True)
class Codec:
    """How one media type is read and written; `encode` is None where it is only read."""

    media_type: str
    decode: Callable[[Any], Any]
    encode: Callable[[Any], Any] | None


class Codecs:
    """Codecs by media type; names are compared exactly."""

    def __init__(self, codecs: Iterable[Codec]) -> None:
        """Index the codecs."""
        self._by_type = {codec.media_type: codec for codec in codecs}

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types that can be written, the preferred one first; all can be read, too."""
        return tuple(name for name, codec in self._by_type.items() if codec.encode is not None)

    @property
    def decoders(self) -> dict[str, Callable[[Any], Any]]:
        """What reads each media type."""
        return {name: codec.decode for name, codec in self._by_type.items()}

    @property
    def encoders(self) -> dict[str, Callable[[Any], Any]]:
        """What writes each media type that is written."""
        return {name: codec.encode for name, codec in self._by_type.items() if codec.encode}

    def decode(self, data: Any, content_type: str | None) -> Any:
        """Return a body as a numpy array, a sparse matrix where it is npz.

        Raises:
            UnsupportedFormatError: there is no codec for this content type, or its archive lacks
                an array (a KeyError of any kind, as in the toolkit).
            Refused: it holds, or may hold, a pickle.
            LibraryMissing: numpy or scipy is not installed.
        """
        decode = self.decoders.get(content_type or "")
        if decode is None:
            raise UnsupportedFormatError(content_type)
        try:
            return decode(data)
        except KeyError as error:
            raise UnsupportedFormatError(content_type) from error

    def encode(self, value: Any, content_type: str | None) -> Any:
        """Return an array, or whatever is like one, as a body: text, but bytes for npy.

        Raises:
            UnsupportedFormatError: there is no codec for this content type.
            LibraryMissing: numpy is not installed.
        """
        encode = self.encoders.get(content_type or "")
        if encode is None:
            raise UnsupportedFormatError(content_type)
        return encode(value)


def json_to_array(text: Any, dtype: Any = None) -> Any:
    """Read JSON into a numpy array."""
    np = _library("numpy", media_types.JSON)
    return np.array(json.loads(text), dtype=dtype)


def csv_to_array(text: Any, dtype: Any = None) -> Any:
    """Read CSV into a numpy array, its type guessed column by column as numpy's genfromtxt does.

    `#` begins a comment; a missing integer is -1 or 0, a missing float NaN; columns of different
    types make an array of records.
    """
    np = _library("numpy", media_types.CSV)
    return np.genfromtxt(io.StringIO(text), dtype=dtype, delimiter=",")


def npy_to_array(data: Any) -> Any:
    """Read a .npy file into a numpy array (an archive of several, lazily).

    Raises:
        Refused: it is no such file, so that numpy would take it for a pickle; or it holds objects.
    """
    np = _library("numpy", media_types.NPY)
    if len(data) and not bytes(data[:6]).startswith((_NPY_MAGIC, *_ZIP_MAGICS)):
        raise Refused("npy-pickle", "The body is no .npy file, and a pickle is not read.")
    try:
        return np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError as error:
        if not str(error).startswith(_PICKLED):
            raise
        said = "The body is an array of Python objects, which is a pickle and is not read."
        raise Refused("npy-pickle", said) from error


def npz_to_sparse(data: Any) -> Any:
    """Read a sparse matrix as `scipy.sparse.save_npz` writes it."""
    sparse = _library("scipy.sparse", media_types.NPZ)
    return sparse.load_npz(io.BytesIO(data))


def to_json(value: Any) -> str:
    """Write a value as JSON; arrays and tensors inside it become lists."""
    return json.dumps(value, default=_listed)


def to_csv(value: Any) -> str:
    """Write an array of one or two dimensions as CSV, a line for each element or row."""
    np = _library("numpy", media_types.CSV)
    stream = io.StringIO()
    np.savetxt(stream, value, delimiter=",", fmt="%s")
    return stream.getvalue()


def to_npy(value: Any) -> bytes:
    """Write an array as a .npy file; what is no array of numbers becomes one of pickled objects."""
    np = _library("numpy", media_types.NPY)
    buffer = io.BytesIO()
    np.save(buffer, value)
    return buffer.getvalue()


def _listed(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    return json.JSONEncoder().default(value)


def _library(name: str, media_type: str) -> Any:
    """Import a package of the project's, or say which one is missing and for what."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        raise LibraryMissing(
            f"{media_type} needs {package}, which this project's interpreter does not have; "
            f"add {package} to the project's requirements.",
            name=package,
        ) from error


CODECS = Codecs(
    [
        Codec(media_types.JSON, json_to_array, to_json),
        Codec(media_types.CSV, csv_to_array, to_csv),
        Codec(media_types.NPY, npy_to_array, to_npy),
        Codec(media_types.NPZ, npz_to_sparse, None),
    ]
)
