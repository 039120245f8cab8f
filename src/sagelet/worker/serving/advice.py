"""What to do about the errors that most often keep a model from loading.

Each row was seen with the torch of the day; an error that is in none of them gets no advice.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

_PACKAGES = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "PIL": "Pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "PyYAML",
}
"""Packages whose modules have another name."""

_PREFIX = re.compile(r'Missing key\(s\).*Unexpected key\(s\) in state_dict: "module\.', re.DOTALL)
_NO_PREFIX = re.compile(r'Missing key\(s\) in state_dict: "module\.')
_OTHER_CLASS = re.compile(r"Error\(s\) in loading state_dict for (\w+)")
_CUDA = "Attempting to deserialize object on a CUDA device"
_WHOLE = re.compile(r"Weights only load failed\. This file can still be loaded")
_NO_ATTRIBUTE = re.compile(r"Can't get attribute '(\w+)' on (<module .+>)")
_NO_MEMORY = re.compile(r"DefaultCPUAllocator: can't allocate memory|CUDA out of memory")
_DAMAGED = re.compile(
    r"failed finding central directory|failed reading zip archive|Unsupported operand \d+"
)
_SHOWN = 10
_SMALLER = (
    "it is out of memory: every worker loads the model, so have fewer of them "
    "(SAGEMAKER_MODEL_SERVER_WORKERS), or a smaller model"
)


def advice(error: BaseException, model_dir: str) -> str:
    """Return what to do about an error of loading, in a sentence; nothing where that is open."""
    if isinstance(error, ModuleNotFoundError):
        return _missing_module(error.name or "")
    if isinstance(error, ImportError):
        return _other_version(error.name or "")
    if isinstance(error, MemoryError):
        return _SMALLER
    if isinstance(error, FileNotFoundError):
        return _missing_file(error.filename, Path(model_dir))
    if isinstance(error, EOFError):
        return "a file that was to be read is empty, or was cut short"
    return _about_weights(str(error))


def _missing_module(name: str) -> str:
    if not name:
        return ""
    top = name.partition(".")[0]
    package = _PACKAGES.get(top, top)
    return f"add {package} to requirements.txt beside the handlers, or put the module there"


def _other_version(name: str) -> str:
    """Tell which version a module is of that lacks what was to be imported from it."""
    top = name.partition(".")[0]
    package = _PACKAGES.get(top, top)
    try:
        version = importlib.metadata.version(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return ""
    return f"{package} {version} is installed; the code was written for another version of it"


def _missing_file(name: object, model_dir: Path) -> str:
    if not isinstance(name, str):
        return ""
    files = [path for path in model_dir.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    found = sorted(path.relative_to(model_dir) for path in files)
    for path in found:
        if path.name == Path(name).name:
            return f"{path.name} lies at {path} in the model's folder"
    more = ", ..." if len(found) > _SHOWN else ""
    shown = ", ".join(map(str, found[:_SHOWN])) or "nothing"
    return f"the model's folder holds {shown}{more}"


def _about_weights(text: str) -> str:
    if _PREFIX.search(text):
        return (
            "the weights were saved from DistributedDataParallel or DataParallel: load "
            "{name.removeprefix('module.'): value for name, value in state_dict.items()}"
        )
    if _NO_PREFIX.search(text):
        return "the weights were saved from the bare model: load them before it is wrapped"
    other = _OTHER_CLASS.search(text)
    if other:
        return f"{other[1]} is not built as the model was that these weights are of"
    if _NO_MEMORY.search(text):
        return _SMALLER
    if _CUDA in text:
        return "give torch.load map_location='cpu'"
    if _WHOLE.search(text):
        return (
            "the file holds a whole model: save its state_dict() instead, or give torch.load "
            "weights_only=False if you trust the file"
        )
    main = _NO_ATTRIBUTE.search(text)
    # The script that was saved from was `__main__`; here that is what runs the handlers.
    if main and main[2].startswith(repr(sys.modules["__main__"])):
        return (
            f"the file holds a whole model, whose class {main[1]} was defined in the training "
            "script: save its state_dict() instead"
        )
    if _DAMAGED.search(text):
        return "the file is damaged, or was not written by torch.save"
    return ""
