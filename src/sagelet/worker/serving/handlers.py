"""Which function does what: the user's, or the default in its place.

The rules are those of the inference contract: the module is SAGEMAKER_PROGRAM without `.py`; a
module that cannot be found means defaults throughout; transform_fn excludes the three that it
stands for; and a function with one parameter more than its arguments gets the context as its last.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Callable, Protocol

from sagelet.worker.serving.tracebacks import blame

USER_FUNCTIONS = (
    "model_fn",
    "transform_fn",
    "input_fn",
    "predict_fn",
    "output_fn",
    "pre_model_fn",
    "model_warmup_fn",
)
_CONFLICT = (
    "Cannot use transform_fn implementation in conjunction with "
    "input_fn, predict_fn, and/or output_fn implementation"
)


class Defaults(Protocol):
    """What serves where the user's module has no function of its own."""

    def model_fn(self, model_dir: str) -> Any:
        """Load a model."""
        ...

    def input_fn(self, data: Any, content_type: str | None) -> Any:
        """Read a request's body."""
        ...

    def predict_fn(self, data: Any, model: Any) -> Any:
        """Call the model."""
        ...

    def output_fn(self, prediction: Any, accept: str) -> Any:
        """Write the answer's body."""
        ...


class Handler:
    """A function of the contract, called with or without the context as its parameters say."""

    __slots__ = ("_count", "_function", "_problem", "name", "takes_context")

    def __init__(self, name: str, function: Callable[..., Any], arguments: int) -> None:
        """Look at the function's parameters once; what is wrong with them is said when called."""
        self.name = name
        self._function = function
        self._problem: Exception | None = None
        self._count = arguments
        self.takes_context = False
        try:
            self._count = len(inspect.signature(function).parameters)
        except (TypeError, ValueError) as error:
            self._problem = error
            return
        self.takes_context = self._count == arguments + 1
        if self._count not in (arguments, arguments + 1):
            shown = getattr(function, "__name__", name)
            said = f"{shown} takes {self._count} arguments but {arguments} were given."
            self._problem = blame(TypeError(said), function)

    def __call__(self, context: Any, *arguments: Any) -> Any:
        """Call the function.

        Raises:
            TypeError: it takes another number of arguments.
        """
        if self._problem is not None:
            raise self._problem.with_traceback(None)
        if self.takes_context:
            return self._function(*arguments, context)
        return self._function(*arguments)


@dataclass(frozen=True)
class Handlers:
    """The functions that serve. `transform` is None where input, predict and output do."""

    model: Handler
    transform: Handler | None
    input: Handler
    predict: Handler
    output: Handler
    before_model: Handler | None
    warm_up: Handler | None
    module: ModuleType | None
    defined: tuple[str, ...]


def module_name(program: str) -> str:
    """Return the module that SAGEMAKER_PROGRAM names."""
    return program[: -len(".py")] if program.endswith(".py") else program


def find_module(program: str) -> ModuleType | None:
    """Import the user's module; None if there is none.

    Raises:
        Exception: whatever importing it raises.
    """
    name = module_name(program)
    if importlib.util.find_spec(name) is None:
        return None
    return importlib.import_module(name)


def bind(module: ModuleType | None, defaults: Defaults) -> Handlers:
    """Return the handlers of a module, the defaults filling its gaps.

    Raises:
        ValueError: transform_fn stands beside input_fn, predict_fn or output_fn.
    """
    own = {name: getattr(module, name, None) for name in USER_FUNCTIONS} if module else {}
    transform = own.get("transform_fn")
    if transform and (own["input_fn"] or own["predict_fn"] or own["output_fn"]):
        raise blame(ValueError(_CONFLICT), transform)
    return Handlers(
        model=Handler("model_fn", own.get("model_fn") or defaults.model_fn, 1),
        transform=Handler("transform_fn", transform, 4) if transform else None,
        input=Handler("input_fn", own.get("input_fn") or defaults.input_fn, 2),
        predict=Handler("predict_fn", own.get("predict_fn") or defaults.predict_fn, 2),
        output=Handler("output_fn", own.get("output_fn") or defaults.output_fn, 2),
        before_model=_optional("pre_model_fn", own.get("pre_model_fn"), 1),
        warm_up=_optional("model_warmup_fn", own.get("model_warmup_fn"), 2),
        module=module,
        defined=tuple(name for name in USER_FUNCTIONS if own.get(name)),
    )


def _optional(name: str, function: Any, arguments: int) -> Handler | None:
    return None if function is None else Handler(name, function, arguments)
