"""What rules look at, and how they say what they find."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from sagelet.upgrade.calls import Function
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.options import Options, read_options
from sagelet.upgrade.pasted import Mended
from sagelet.upgrade.pathflow import Literal, literals
from sagelet.upgrade.program import Program
from sagelet.upgrade.projects import Project, Training
from sagelet.upgrade.sources import Source

HANDLERS = {
    "model_fn": 1,
    "transform_fn": 4,
    "input_fn": 2,
    "predict_fn": 2,
    "output_fn": 2,
    "pre_model_fn": 1,
    "model_warmup_fn": 2,
    "predict_batch_fn": 2,
}
"""The functions that serve, and their arguments; each may take the context besides."""

_LAUNCHERS = frozenset({"accelerate", "deepspeed", "horovod", "lightning", "pytorch_lightning"})

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Spot:
    """One place where a rule is broken: a node, or a line and a column from 1.

    `severity` stands in for the rule's own, `path` for that of what is looked at.
    """

    at: ast.AST | tuple[int, int]
    message: str
    hint: str = ""
    severity: Severity | None = None
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """A rule with the function that finds where it is broken."""

    rule: Rule
    find: Callable[[Subject], Iterator[Spot]]


@dataclass(frozen=True)
class Script:
    """A script or notebook that parses, perhaps after what pasting broke was mended."""

    source: Source
    mended: Mended
    program: Program
    project: Project | None = None
    roots: tuple[Path, ...] = ()
    """Folders that its imports may start from, beside its own: `sys.path` of a plain run."""

    @cached_property
    def handlers(self) -> dict[str, Function]:
        """The functions of the inference contract that it defines."""
        functions = self.program.functions
        return {name: functions[name] for name in HANDLERS if name in functions}

    @cached_property
    def is_train_entry(self) -> bool:
        """Whether the project names it as what `sagelet train` runs."""
        train = self.project.train if self.project else None
        return train is not None and _same(train.entry_point, self.source.path)

    @cached_property
    def is_serve_entry(self) -> bool:
        """Whether the project names it as what serves."""
        serve = self.project.serve if self.project else None
        return serve is not None and _same(serve.entry_point, self.source.path)

    @cached_property
    def training(self) -> Training | None:
        """What the project says of the job that runs this script, if one does."""
        return self.project.train if self.project and self.is_train_entry else None

    @property
    def hyperparameters(self) -> Mapping[str, Any] | None:
        """The hyperparameters that the project gives this script; None where that is unknown."""
        return self.training.options if self.training else None

    @cached_property
    def options(self) -> Options:
        """The options that it reads with argparse."""
        return read_options(self.program, has_others=bool(self.local_imports))

    @cached_property
    def paths(self) -> list[Literal]:
        """The literal paths that it reads and writes."""
        return literals(self.program, self.options)

    @cached_property
    def local_imports(self) -> frozenset[str]:
        """The modules beside it, or in the project's source, that it imports."""
        return frozenset(
            name
            for name in self.program.imported_modules
            if not name or any(_has_module(folder, name) for folder in self.import_roots)
        )

    @cached_property
    def import_roots(self) -> tuple[Path, ...]:
        """The folders that its imports may start from, its own first."""
        of_project = (self.training.source,) if self.training else ()
        return tuple(dict.fromkeys((self.source.path.parent, *of_project, *self.roots)))

    @cached_property
    def trains(self) -> bool:
        """Whether the training itself stands here."""
        return bool(self.training_calls)

    @cached_property
    def training_calls(self) -> list[ast.Call]:
        """The calls that train: `loss.backward()` and its like."""
        methods = self.program.methods
        steps = [call for call in methods["backward"] if self._uses_torch]
        fits = [call for call in methods["fit"] if _is_trainer(call)]
        return [*steps, *fits]

    @cached_property
    def is_job(self) -> bool:
        """Whether it is meant to run as a training job."""
        return (
            self.is_train_entry
            or self.trains
            or (self._reads_job_variables and "argparse" in self.program.imported_modules)
        )

    @cached_property
    def runs(self) -> bool:
        """Whether it is run, not only imported: it has a main guard, or calls what it defines."""
        program = self.program
        return (
            self.is_train_entry
            or bool(program.main_guards)
            or any(
                program.runs_at_import(c)
                for f in program.functions.values()
                for c in program.callers(f)
            )
            or any(program.runs_at_import(call) for call in self.training_calls)
        )

    @cached_property
    def serves(self) -> bool:
        """Whether an endpoint imports it."""
        return self.is_serve_entry or bool(self.handlers.keys() - {"model_warmup_fn"})

    @cached_property
    def process_groups(self) -> list[ast.Call]:
        """The calls of `init_process_group`."""
        return self.program.torch_calls("init_process_group")

    @cached_property
    def has_launcher(self) -> bool:
        """Whether a library that does the distribution itself is imported."""
        return bool(self.program.imported_modules & _LAUNCHERS)

    @cached_property
    def _uses_torch(self) -> bool:
        return "torch" in self.program.imported_modules

    @cached_property
    def _reads_job_variables(self) -> bool:
        return any(
            isinstance(node.value, str) and node.value.startswith(("SM_CHANNEL_", "SM_MODEL_DIR"))
            for node in self.program.nodes(ast.Constant)
        )


def _has_module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _is_trainer(call: ast.Call) -> bool:
    """Whether this is `trainer.fit(model, …)` of Lightning and its like."""
    target = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(target, ast.Name) and target.id == "trainer"


def _same(one: Path, other: Path) -> bool:
    return one.absolute() == other.absolute() or (
        one.exists() and other.exists() and one.samefile(other)
    )
