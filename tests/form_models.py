"""Models' folders for tests of predict forms, and the forms that are made of them."""

from __future__ import annotations

from pathlib import Path

from sagelet.web.forms.filling import fill
from sagelet.web.forms.folder import ModelFolder
from sagelet.web.forms.form import Form
from sagelet.web.forms.inferring import assembled
from sagelet.web.forms.reading import values_of
from sagelet.web.forms.sources import look

PROGRAM = "inference.py"


def a_folder(root: Path, files: dict[str, str | bytes], *, may_leave: bool = True) -> ModelFolder:
    """Write files of a model below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    root.mkdir(exist_ok=True)
    return ModelFolder(root, may_leave)


def a_form(root: Path, files: dict[str, str | bytes], *, may_leave: bool = True) -> Form:
    """Return the form of a model with these files, in which nothing has been called yet."""
    return assembled("e", look(a_folder(root, files, may_leave=may_leave), PROGRAM), ())


def begins_as(form: Form) -> bytes:
    """Return the body that a form makes while nobody touches it."""
    return fill(form, values_of(form))
