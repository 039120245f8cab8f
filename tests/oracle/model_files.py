"""The files of a model that a case may ask for, by kind."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import torch


def lay_out(folder: Path, code: str, files: Mapping[str, str]) -> None:
    """Write a module of handlers (unless it is empty) and a model's files into a folder."""
    if code:
        (folder / "code").mkdir(parents=True)
        (folder / "code" / "inference.py").write_text(code, encoding="utf-8")
    for name, kind in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _KINDS.get(kind, _text(kind))(folder / name)


def _torchscript(path: Path) -> None:
    with warnings.catch_warnings():
        # torch deprecates TorchScript; the container's default model_fn still loads nothing else.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(torch.nn.Identity()), str(path))


def _state_dict(path: Path) -> None:
    torch.save({"weight": torch.ones(1)}, path)


def _text(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    return write


_KINDS: Mapping[str, Callable[[Path], None]] = {
    "torchscript": _torchscript,
    "state dict": _state_dict,
    "folder": Path.mkdir,
}
