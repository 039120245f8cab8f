"""Builds a small project of handlers on disk and serves it in this process."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagelet.worker.serving.answers import Responder
from sagelet.worker.serving.context import Context
from sagelet.worker.serving.defaults import PyTorchDefaults
from sagelet.worker.serving.loading import folders, load
from sagelet.worker.serving.reloading import Outcome, Prepared, Reloader
from sagelet.worker.serving.user_code import UserCode
from sagelet.worker.spec import ServeOrder

ECHO = """
    def model_fn(model_dir):
        return "model"

    def input_fn(body, content_type):
        return body

    def predict_fn(data, model):
        return [str(data), model]

    def output_fn(prediction, accept):
        return " ".join(prediction)
"""


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files (relative path -> text, dedented) under a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return root


def an_order(model_dir: Path, **changes: object) -> ServeOrder:
    """Return an order to serve a model's folder, whose code is in `code/` or beside the model."""
    code = model_dir / "code"
    facts: dict[str, object] = {
        "model_dir": str(model_dir),
        "code_dir": str(code if code.is_dir() else model_dir),
        "program": "inference.py",
        "cwd": str(model_dir),
        "environment": {},
    }
    return ServeOrder(**{**facts, **changes})  # type: ignore[arg-type]  # tests name its fields


class Project:
    """A model's folder, loaded here: its code is called, edited and reloaded."""

    def __init__(self, order: ServeOrder, import_s: float = 1.0) -> None:
        self.root = Path(order.model_dir)
        self._strict = order.contract == "strict"
        self.code = UserCode(folders(order))
        self.code.install()
        context = Context(order.model_dir, strict=self._strict)
        defaults = PyTorchDefaults(strict=self._strict)
        self.reloader = Reloader(order.program, self.code, defaults, import_s=import_s)
        loaded = load(order, context, defaults)
        self.responder = Responder(
            loaded,
            context,
            strict=self._strict,
            default_accept=order.environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", ""),
            max_request_bytes=order.max_request_bytes,
            max_response_bytes=order.max_response_bytes,
        )

    @property
    def model(self) -> Any:  # noqa: ANN401 - a model may be anything
        return self.responder.loaded.model

    def ask(
        self,
        body: bytes | str = b"hello",
        content_type: str | None = "text/plain",
        accept: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[dict[str, Any], bytes]:
        """Send one request through the handlers."""
        header = {
            "op": "invoke",
            "id": 7,
            "content_type": content_type,
            "accept": accept,
            "headers": headers or {},
        }
        return self.responder.answer(header, body.encode() if isinstance(body, str) else body)

    def says(self, body: bytes | str = b"hello") -> str:
        """Send one request and return the answer's text; it must be a success."""
        header, answer = self.ask(body)
        assert header["status"] == 200, answer.decode()
        return answer.decode()

    def edit(self, name: str, text: str) -> None:
        write(self.root, {name: text})

    def change(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file."""
        path = self.root / name
        source = path.read_text()
        assert old in source
        path.write_text(source.replace(old, new))

    def prepare(self, *changed: str) -> Outcome:
        paths: Sequence[str] = [str(self.root / name) for name in changed]
        return self.reloader.prepare(self.responder.loaded, 2, paths)

    def reload(self, *changed: str) -> None:
        """Prepare and commit; the model must be kept."""
        outcome = self.prepare(*changed)
        assert isinstance(outcome, Prepared), outcome
        self.responder.loaded = self.reloader.commit(outcome)


@contextmanager
def serving(
    root: Path, files: dict[str, str], *, import_s: float = 1.0, **order: object
) -> Iterator[Project]:
    """Write and load a project; afterwards its modules are forgotten."""
    before = set(sys.modules)
    write(root, files)
    paths, finders = list(sys.path), list(sys.meta_path)
    try:
        yield Project(an_order(root, **order), import_s)
    finally:
        sys.path[:] = paths
        sys.meta_path[:] = finders
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            if str(getattr(module, "__file__", None) or "").startswith(str(root)):
                del sys.modules[name]
