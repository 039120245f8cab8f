"""The configuration file, read and checked: `load` finds it, reads it and names every mistake.

A value's precedence: flag, environment variable (`SAGELET_<KEY>`), project, user, default. The
user's own defaults are `config.yml` in the platform's user configuration folder, in the same form;
each key of an environment there stands under the project's key of the same name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

import platformdirs
from pydantic import BaseModel, ValidationError

from sagelet.environments.search import Search, find_config, project_of
from sagelet.environments.settings import (
    DEFAULT_ENVIRONMENT,
    OVERRIDABLE,
    EnvironmentSettings,
    ServeSettings,
    TrainSettings,
)
from sagelet.environments.ui_settings import UiSettings
from sagelet.environments.yaml_document import Document, KeyPath, read_document
from sagelet.errors import BadConfig, ConfigNotFound, UnknownEnvironment

__all__ = [
    "EnvironmentSettings",
    "ProjectConfig",
    "ServeSettings",
    "TrainSettings",
    "UiSettings",
    "load",
    "user_config_file",
]

_SECTIONS = ("environments", "serve", "train", "ui")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Section = TypeVar("Section", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Layers:
    """The project's document over the user's."""

    documents: tuple[Document, ...]

    def section(self, *path: str) -> dict[str, Any]:
        """Return a mapping as the layers make it, the project's keys over the user's.

        Raises:
            BadConfig: one of the layers has something else there.
        """
        merged: dict[str, Any] = {}
        for document in reversed(self.documents):
            value: object = document.data
            for depth, key in enumerate(path, start=1):
                value = value.get(key) if isinstance(value, Mapping) else None
                if value is not None and not isinstance(value, Mapping):
                    raise document.problem(path[:depth], "must hold keys and values")
            merged.update(value if isinstance(value, Mapping) else {})
        return merged

    def owner(self, path: KeyPath) -> Document:
        """Return the layer that a key comes from."""
        for document in self.documents:
            if path in document.lines:
                return document
        return self.documents[0]


class ProjectConfig:
    """A project's configuration. Where no file was found, `file` is None and there is one
    environment, `local`, with nothing in it.
    """

    def __init__(self, layers: tuple[Document, ...], *, search: Search, project: Path) -> None:
        """Check everything that does not depend on which environment is chosen.

        Raises:
            BadConfig: a key that is unknown, or a value that makes no sense.
        """
        self._layers = _Layers(layers)
        self._search = search
        self.file = search.file
        self.project = project
        self._check_top()
        self.environment_names = self._environment_names()
        for name in self.environment_names:
            self.environment(name, flags={}, environ={})
        self.serve = self._section("serve", ServeSettings)
        self.train = self._section("train", TrainSettings)
        self.ui = self._section("ui", UiSettings) or UiSettings()

    @property
    def searched(self) -> tuple[str, ...]:
        """Where the file was looked for."""
        return self._search.searched

    @property
    def lines(self) -> Mapping[KeyPath, int]:
        """The lines that the keys of the project's own file stand on."""
        return self._layers.documents[0].lines if self.file is not None else {}

    @cached_property
    def label(self) -> str:
        """The file's name for messages."""
        return str(self.file) if self.file is not None else "no configuration file"

    def environment(
        self, name: str, *, flags: Mapping[str, str], environ: Mapping[str, str]
    ) -> EnvironmentSettings:
        """Return one environment's settings.

        `flags` holds what was said on the command line, by key.

        Raises:
            ConfigNotFound: there is no file, and the environment is not `local`.
            UnknownEnvironment: the file has no such environment.
            BadConfig: a value makes no sense.
        """
        if name not in self.environment_names:
            raise self._no_environment(name)
        raw = self._layers.section("environments", name)
        variables = {
            key: value
            for key in OVERRIDABLE
            if (value := environ.get(f"SAGELET_{key.upper()}", "")) and key not in flags
        }
        written = {key: value for key, value in raw.items() if value is not None}
        values = {
            **written,
            **variables,
            **flags,
            "name": name,
            "raw": {**raw, **variables, **flags},
        }
        if values.get("python") is not None:
            values["python"] = self._interpreter(str(values["python"]))
        try:
            return EnvironmentSettings.model_validate(values)
        except ValidationError as error:
            raise self._bad_environment(error, name, flags, variables) from error

    def path(self, relative: Path | str) -> Path:
        """Return a path of the configuration as an absolute one; symbolic links are kept."""
        return (self.project / Path(relative).expanduser()).absolute()

    def require_serve(self) -> ServeSettings:
        """Return `serve:`.

        Raises:
            ConfigNotFound: there is no file.
            BadConfig: the file does not say what to serve.
        """
        return self.serve or self._absent("serve", "what to serve: `serve:` with `entry_point:`")

    def require_train(self) -> TrainSettings:
        """Return `train:`.

        Raises:
            ConfigNotFound: there is no file.
            BadConfig: the file does not say what to train.
        """
        return self.train or self._absent("train", "what to train: `train:` with `entry_point:`")

    def problem(self, path: KeyPath, problem: str) -> BadConfig:
        """Return an error that names the file, the line and the key."""
        return self._layers.owner(path).problem(path, problem)

    def _absent(self, section: str, what: str) -> NoReturn:
        if self.file is None:
            raise ConfigNotFound(searched=self._search.searched)
        raise BadConfig(self.label, section, f"the file does not say {what}")

    def _no_environment(self, name: str) -> ConfigNotFound | UnknownEnvironment:
        if self.file is None:
            return ConfigNotFound(searched=self._search.searched)
        return UnknownEnvironment(name=name, file=self.label, known=self.environment_names)

    def _check_top(self) -> None:
        for document in self._layers.documents:
            for key in document.data:
                # `x-…` is free, as in Compose files: a place for anchors.
                if key not in _SECTIONS and not key.startswith("x-"):
                    raise document.problem((key,), _unknown(key, _SECTIONS))
        if self.file is not None and "environments" not in self._layers.documents[0].data:
            raise BadConfig(self.label, "line 1", "the file has no `environments:`")

    def _environment_names(self) -> tuple[str, ...]:
        names = tuple(self._layers.section("environments"))
        for name in names:
            if not _ENVIRONMENT_NAME.fullmatch(name):
                raise self.problem(
                    ("environments", name),
                    "an environment's name is made of letters, digits, '.', '_' and '-'",
                )
        if self.file is None:
            names = tuple(dict.fromkeys((*names, DEFAULT_ENVIRONMENT)))
        return names

    def _section(self, name: str, model: type[Section]) -> Section | None:
        if not any(name in document.data for document in self._layers.documents):
            return None
        values = self._layers.section(name)
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise self._bad_section(error, (name,), model) from error

    def _interpreter(self, written: str) -> Path:
        # Not resolved: a virtual environment's python is a link, and the link is what matters.
        return self.path(written)

    def _bad_section(
        self, error: ValidationError, prefix: KeyPath, model: type[BaseModel]
    ) -> BadConfig:
        first = error.errors(include_url=False, include_context=False)[0]
        path = (*prefix, *(str(part) for part in first["loc"]))
        if first["type"] == "extra_forbidden":
            return self.problem(path, _unknown(path[-1], _keys_at(model, first["loc"][:-1])))
        if first["type"] == "missing":
            return self.problem(path[:-1], f"`{path[-1]}:` is missing")
        return self.problem(path, _sentence(first["msg"], first["input"]))

    def _bad_environment(
        self,
        error: ValidationError,
        name: str,
        flags: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> BadConfig:
        first = error.errors(include_url=False, include_context=False)[0]
        key = str(first["loc"][0])
        problem = _sentence(first["msg"], first["input"])
        if key in flags:
            return BadConfig("the command line", f"--{key.replace('_', '-')}", problem)
        if key in variables:
            return BadConfig("the environment", f"SAGELET_{key.upper()}", problem)
        return self.problem(("environments", name, key), problem)


def load(
    config: str | Path | None = None,
    *,
    beside: Path | None = None,
    start: Path | None = None,
    working_folder: Path | None = None,
    environ: Mapping[str, str],
) -> ProjectConfig:
    """Find, read and check the configuration; without a file there is only `local`, and no keys.

    `start` is the project's folder where it was said outright, else the search starts in
    `working_folder`, which is the current one by default.

    Raises:
        ConfigNotFound: a file that was named outright is not there.
        BadConfig: a file does not say what it must.
    """
    folder = (start or working_folder or Path.cwd()).absolute()
    search = find_config(
        Path(config) if config is not None else None, beside=beside, start=folder, environ=environ
    )
    user = user_config_file()
    files = [file for file in (search.file, user if user.is_file() else None) if file is not None]
    layers = tuple(read_document(file) for file in dict.fromkeys(files))
    return ProjectConfig(
        layers or (Document(folder / "sagelet.yml", {}, {}),),
        search=search,
        project=_project(search, named=config is not None, start=start, folder=folder),
    )


def _project(search: Search, *, named: bool, start: Path | None, folder: Path) -> Path:
    if search.file is None or (named and start is not None):
        return folder
    return project_of(search.file)


def user_config_file() -> Path:
    """Return where the user's own defaults are looked for."""
    return platformdirs.user_config_path("sagelet", appauthor=False) / "config.yml"


def _unknown(key: str, known: Iterable[str]) -> str:
    names = tuple(known)
    near = difflib.get_close_matches(key, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
    return f"unknown key {key!r}; {hint}"


def _keys_at(model: type[BaseModel], place: tuple[int | str, ...]) -> Iterable[str]:
    """Return the keys that a part of a section may have."""
    for step in place:
        field = model.model_fields.get(str(step))
        if field is not None:
            model = _section_in(field.annotation) or model
    return model.model_fields


def _section_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _section_in(each))), None)


def _sentence(message: str, value: object) -> str:
    said = message.removeprefix("Value error, ").removeprefix("Input ")
    return said if message.startswith("Value error") else f"{said}, not {value!r}"
