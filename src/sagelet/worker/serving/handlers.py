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
from typing import Any, Callable, NamedTuple, Protocol

from sagelet.worker.serving.telling import tell
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
BATCH_FUNCTION = "predict_batch_fn"
"""Ours alone: the container passes it over and calls predict_fn."""

_CONFLICT = (
    "Cannot use transform_fn implementation in conjunction with "
    "input_fn, predict_fn, and/or output_fn implementation"
)


_ASYNC = (
    "{0} is async, and nothing awaits it: SageMaker's container calls handlers as plain functions. "
    "Write `def {0}` and use asyncio.run() inside it."
)


class Defaults(Protocol):
    """What serves where the user's module has no function of its own.

    Those that need not be there (`pre_model_fn`, `model_warmup_fn`) are looked for by name.
    """

    @property
    def strict(self) -> bool:
        """Whether the contract is strict."""
        ...

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

    __slots__ = ("_count", "_problem", "function", "name", "takes_context")

    def __init__(self, name: str, function: Callable[..., Any], arguments: int) -> None:
        """Look at the function's parameters once; what is wrong with them is said when called."""
        self.name = name
        self.function = function
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
        return self.bound_to(context)(*arguments)

    @property
    def problem(self) -> Exception | None:
        """What is wrong with the function's parameters."""
        return self._problem

    def bound_to(self, context: Any) -> Callable[..., Any]:
        """Return what is called with the arguments alone: the function itself, if that is all."""
        if self._problem is not None:
            return _raising(self._problem)
        function = self.function
        if self.takes_context:
            return lambda *arguments: function(*arguments, context)
        return function


class Calls(NamedTuple):
    """The handlers of requests, to be called with their arguments alone."""

    transform: Callable[..., Any] | None
    input: Callable[..., Any]
    predict: Callable[..., Any]
    output: Callable[..., Any]
    batch: Callable[..., Any] | None


@dataclass(frozen=True)
class Handlers:
    """The functions that serve. `transform` is None where input, predict and output do.

    `batch` is there only where several requests may be predicted together.
    """

    model: Handler
    transform: Handler | None
    input: Handler
    predict: Handler
    output: Handler
    batch: Handler | None
    before_model: Handler | None
    warm_up: Handler | None
    module: ModuleType | None
    defined: tuple[str, ...]

    def raised_in(self, error: BaseException) -> str | None:
        """Return which handler of a request an error was raised in: the innermost one."""
        handlers = [self.predict, self.output, *([self.transform] if self.transform else [])]
        names = {getattr(each.function, "__code__", None): each.name for each in handlers}
        found, link = None, error.__traceback__
        while link is not None:
            found = names.get(link.tb_frame.f_code, found)
            link = link.tb_next
        return found

    def bound_to(self, context: Any) -> Calls:
        """Return the handlers of requests with the context in its place."""
        return Calls(
            transform=self.transform.bound_to(context) if self.transform else None,
            input=self.input.bound_to(context),
            predict=self.predict.bound_to(context),
            output=self.output.bound_to(context),
            batch=self.batch.bound_to(context) if self.batch else None,
        )


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
        TypeError: the contract is sane, and a function is async or is a predict_batch_fn that
            takes another number of arguments.
    """
    names = (*USER_FUNCTIONS, BATCH_FUNCTION)
    own = {name: getattr(module, name, None) for name in names} if module else {}
    transform = own.get("transform_fn")
    if transform and (own["input_fn"] or own["predict_fn"] or own["output_fn"]):
        raise blame(ValueError(_CONFLICT), transform)
    if not defaults.strict:
        _refuse_async(own)
    before_model = own.get("pre_model_fn") or getattr(defaults, "pre_model_fn", None)
    warm_up = own.get("model_warmup_fn") or getattr(defaults, "model_warmup_fn", None)
    return Handlers(
        model=Handler("model_fn", getattr(module, "model_fn", defaults.model_fn), 1),
        transform=_optional("transform_fn", transform, 4),
        input=Handler("input_fn", own.get("input_fn") or defaults.input_fn, 2),
        predict=Handler("predict_fn", own.get("predict_fn") or defaults.predict_fn, 2),
        output=Handler("output_fn", own.get("output_fn") or defaults.output_fn, 2),
        batch=_batch(own, strict=defaults.strict),
        before_model=_optional("pre_model_fn", before_model, 1),
        warm_up=_optional("model_warmup_fn", warm_up, 2),
        module=module,
        defined=tuple(name for name in names if own.get(name)),
    )


def _batch(own: dict[str, Any], *, strict: bool) -> Handler | None:
    """Return the function for several requests, where the contract knows it."""
    function = own.get(BATCH_FUNCTION)
    if not function or strict:
        return None
    if own["transform_fn"]:
        tell("transform_fn answers each request alone: predict_batch_fn is not used\n")
        return None
    handler = Handler(BATCH_FUNCTION, function, 2)
    if handler.problem is not None:
        raise handler.problem
    return handler


def _refuse_async(own: dict[str, Any]) -> None:
    for name, function in own.items():
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise blame(TypeError(_ASYNC.format(name)), function)


def _optional(name: str, function: Any, arguments: int) -> Handler | None:
    return Handler(name, function, arguments) if function else None


def _raising(problem: Exception) -> Callable[..., Any]:
    def refuse(*_arguments: Any) -> Any:
        raise problem.with_traceback(None)

    return refuse
