"""Loading a model, once a process: pre_model_fn, model_fn, model_warmup_fn, in that order."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagelet.worker.serving.context import Context
from sagelet.worker.serving.handlers import Defaults, Handlers, bind, find_module, module_name
from sagelet.worker.serving.telling import tell
from sagelet.worker.spec import ServeOrder

_MODEL_DIR = "/opt/ml/model"


@dataclass(frozen=True)
class LoadedModel:
    """Handlers and the model that they serve: exists only when both are there."""

    handlers: Handlers
    model: Any
    generation: int


def seen_model_dir(order: ServeOrder) -> str:
    """Return the model's folder as the user is to see it: /opt/ml/model where that is it."""
    try:
        if Path(_MODEL_DIR).samefile(order.model_dir):
            return _MODEL_DIR
    except OSError:
        pass  # no /opt/ml here: the real folder is what we have
    return order.model_dir


def folders(order: ServeOrder) -> list[str]:
    """Return the folders that user modules come from: code first, then the model's own."""
    names = [os.path.realpath(order.code_dir), os.path.realpath(order.model_dir)]
    return list(dict.fromkeys(names))


def load(order: ServeOrder, context: Context, defaults: Defaults) -> LoadedModel:
    """Import the user's module and load the model.

    Raises:
        BaseException: whatever the user's code raises, SystemExit included.
    """
    module = find_module(order.program)
    if module is None:
        _say_that_defaults_serve(order)
    handlers = bind(module, defaults)
    model_dir = seen_model_dir(order)
    if handlers.before_model is not None:
        handlers.before_model(context, model_dir)
    model = handlers.model(context, model_dir)
    if handlers.warm_up is not None:
        handlers.warm_up(context, model_dir, model)
    return LoadedModel(handlers=handlers, model=model, generation=order.generation)


def _say_that_defaults_serve(order: ServeOrder) -> None:
    """Say aloud what the container passes over in silence; it is seldom meant."""
    tell(
        "no module {!r} in {}: the default handlers serve\n".format(
            module_name(order.program), " or ".join(folders(order))
        )
    )
