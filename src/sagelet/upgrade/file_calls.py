"""Which calls read and write files, and which of their arguments is the path."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import libcst as cst

from sagelet.upgrade.nodes import argument, string_value
from sagelet.upgrade.shapes import Script


class Role(StrEnum):
    """What a path is for."""

    DATA = "data"
    MODEL = "model"
    OUTPUT = "output"


@dataclass(frozen=True, eq=False)
class FileCall:
    """A call with a path in it. `role` is None where it only makes the folder of another one."""

    call: cst.Call
    path: cst.BaseExpression
    role: Role | None
    is_folder: bool = False


_KEYWORDS = (
    *("path", "fname", "file", "filename", "filepath_or_buffer", "root", "name", "fp", "f", "io"),
    *("pathname", "top", "path_or_buf", "excel_writer", "log_dir", "path_or_buffer"),
)

_READS = re.compile(
    r"glob\.i?glob|numpy\.(load|loadtxt|genfromtxt|fromfile|memmap)|pandas\.read_\w+|polars\.(read|scan)_\w+"
    r"|PIL\.Image\.open|cv2\.imread|torchvision\.io\.read_\w+|torchaudio\.load|scipy\.io\.loadmat"
    r"|librosa\.load|imageio(\.\w+)?\.imread|skimage\.io\.imread|pyarrow\.parquet\.read_\w+"
    r"|sklearn\.datasets\.load_svmlight_file|soundfile\.read|h5py\.File|joblib\.load|torch\.load"
)
_READS_FOLDER = re.compile(
    r"(torchvision|torchtext|torchaudio)\.datasets\.\w+|os\.(listdir|walk|scandir)"
    r"|datasets\.load_from_disk"
)
_KEEPS = {"torch.save": 1, "torch.jit.save": 1, "joblib.dump": 1, "torch.onnx.export": 2}
_OPENS = re.compile(r"builtins\.open|gzip\.open|bz2\.open|lzma\.open|io\.open|codecs\.open")
_WRITES = re.compile(
    r"numpy\.(save|savez|savez_compressed|savetxt)|matplotlib\.pyplot\.(savefig|imsave)"
    r"|torchvision\.utils\.save_image|cv2\.imwrite"
)
_WRITES_FOLDER = re.compile(r"(torch\.utils\.tensorboard|tensorboardX)(\.\w+)?\.SummaryWriter")
_FOLDERS = re.compile(r"os\.(makedirs|mkdir)")
_METHODS_THAT_WRITE = frozenset(
    {"to_csv", "to_json", "to_parquet", "to_excel", "to_pickle", "savefig", "to_feather", "to_hdf"}
)
_PATH_READS = frozenset({"read_text", "read_bytes", "glob", "rglob", "iterdir"})
_PATH_WRITES = frozenset({"write_text", "write_bytes"})
_LIBRARIES = frozenset({"torch", "numpy", "pandas", "builtins", "matplotlib", "sklearn"})
_DATA_FILE = re.compile(
    r"[\w./-]+\.(csv|tsv|txt|jsonl?|npy|npz|parquet|h5|hdf5|png|jpe?g|zip|gz|tar|pkl)"
)
_CONFIGURATION = re.compile(
    r"(^|/)(config|settings|params|hparams)[^/]*$|\.(ya?ml|toml|ini|cfg|env)$"
)


def file_calls(script: Script) -> Iterator[FileCall]:
    """Yield the calls of a script that read or write files."""
    for call in script.calls:
        found = _by_name(script, call) or _by_method(script, call)
        if found is not None:
            yield found
        else:
            yield from _by_literal(script, call)


def _by_literal(script: Script, call: cst.Call) -> Iterator[FileCall]:
    """Yield the data files that something from a module beside the script is called with."""
    name = script.callee(call)
    package = name.partition(".")[0]
    if not name or package in _LIBRARIES or package in sys.stdlib_module_names:
        return
    for arg in call.args:
        text = string_value(arg.value)
        if text is not None and _DATA_FILE.fullmatch(text):
            yield FileCall(call, arg.value, Role.DATA)


def _by_name(script: Script, call: cst.Call) -> FileCall | None:
    name = script.callee(call)
    if name in _KEEPS:
        return _made(call, _KEEPS[name], Role.MODEL)
    if _OPENS.fullmatch(name):
        return _made(call, 0, _role_of_open(script, call))
    if _READS.fullmatch(name):
        return _made(call, 0, Role.DATA)
    if _READS_FOLDER.fullmatch(name):
        return _made(call, 0, Role.DATA, is_folder=True)
    if _WRITES.fullmatch(name):
        return _made(call, 1 if name.endswith("save_image") else 0, Role.OUTPUT)
    if _WRITES_FOLDER.fullmatch(name):
        return _made(call, 0, Role.OUTPUT, is_folder=True)
    if _FOLDERS.fullmatch(name):
        return _made(call, 0, None, is_folder=True)
    return None


def _by_method(script: Script, call: cst.Call) -> FileCall | None:
    if not isinstance(call.func, cst.Attribute):
        return None
    method, owner = call.func.attr.value, call.func.value
    if method in _METHODS_THAT_WRITE and not script.meaning(call.func):
        return _made(call, 0, Role.OUTPUT)
    if method in _PATH_READS and _is_path(script, owner):
        is_folder = method in ("glob", "rglob", "iterdir")
        return FileCall(call, owner, Role.DATA, is_folder=is_folder)
    if method in _PATH_WRITES and _is_path(script, owner):
        return FileCall(call, owner, Role.OUTPUT)
    if method == "mkdir" and _is_path(script, owner):
        return FileCall(call, owner, None, is_folder=True)
    if method == "open" and _is_path(script, owner):
        return FileCall(call, owner, _role_of_open(script, call, place=0))
    if method == "save" and _is_script_module(script, call):
        return _made(call, 0, Role.MODEL, "f")
    return None


def _is_script_module(script: Script, call: cst.Call) -> bool:
    """Whether a call is `torch.jit.script(model).save(path)`."""
    assert isinstance(call.func, cst.Attribute)
    inner = call.func.value
    return isinstance(inner, cst.Call) and script.callee(inner).startswith("torch.jit.")


def _is_path(script: Script, node: cst.BaseExpression) -> bool:
    """Whether an expression is seen to be a pathlib path where it stands, or is a plain name."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide):
        return _is_path(script, node.left)
    if isinstance(node, cst.Call):
        return script.callee(node) == "pathlib.Path"
    return isinstance(node, cst.Name) and script.alias("pathlib.Path") is not None


def _made(
    call: cst.Call, place: int, role: Role | None, *keywords: str, is_folder: bool = False
) -> FileCall | None:
    arg = argument(call, place, *(keywords or _KEYWORDS))
    return None if arg is None else FileCall(call, arg.value, role, is_folder)


def _role_of_open(script: Script, call: cst.Call, place: int = 1) -> Role:
    mode = argument(call, place, "mode")
    text = "r" if mode is None else (string_value(mode.value) or "r")
    if not set(text) & set("wax"):
        return Role.DATA
    statement = script.statement_of(call)
    keeps = any(
        script.callee(each) in ("pickle.dump", "joblib.dump", "torch.save", "cloudpickle.dump")
        for each in script.all_of(cst.Call, statement)
    )
    return Role.MODEL if keeps else Role.OUTPUT


def is_configuration(path: str) -> bool:
    """Whether a path is that of a file which lies beside the script, not among the data."""
    return _CONFIGURATION.search(path) is not None
