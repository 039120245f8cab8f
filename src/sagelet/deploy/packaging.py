"""What travels: the archive of a model, and the archive of a training script's source.

    model.tar.gz                    sourcedir.tar.gz
    ├── model.pth    `serve.model`  ├── train.py      `train.source`
    └── code/                       └── …
        ├── serve.py `serve.entry_point`, under its own name, as the SageMaker SDK does it
        └── …        `serve.source`

The same content gives the same hash, and the hash gives archives and objects their names. The
configuration file itself does not travel: another instance type does not make another model.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagelet.artifacts.archives import pack
from sagelet.artifacts.hashes import tree_hash
from sagelet.deploy.project_files import Found, find_files
from sagelet.environments.config import ProjectConfig
from sagelet.errors import BadConfig

CODE = "code"
# Beside `code/`, where there is no model: it says itself why.
_NO_MODEL = Path(__file__).with_name("no-model.txt")
_ARCHIVE_SUFFIXES = (".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class Package:
    """What an archive holds: names in it to files, and what runs of it.

    `whole_folders` are folders, by their names, in which nothing was left out. `program` is the
    script's name below `code/` (a model) or below the root (a training source). `unserved` are
    members that no worker reads: `served_hash` is that of all others.
    """

    program: str
    members: Mapping[str, Path]
    whole_folders: Mapping[str, Path]
    unserved: frozenset[str] = frozenset()
    content_hash: str = field(init=False)

    def __post_init__(self) -> None:
        """Hash the content."""
        object.__setattr__(self, "content_hash", tree_hash(self.members))

    @property
    def served_hash(self) -> str:
        """What identifies a model whose workers would do the same."""
        if not self.unserved:
            return self.content_hash
        served = {name: path for name, path in self.members.items() if name not in self.unserved}
        return tree_hash(served)

    @property
    def size_bytes(self) -> int:
        """How much content there is, before packing."""
        return sum(path.stat().st_size for path in self.members.values())


def model_package(config: ProjectConfig, model: Path | None = None) -> Package:
    """Return what `serve:` describes; `model` is a folder that stands in for its own.

    Raises:
        ConfigError: there is no `serve:`, something that it names is not there, or two things want
            the same place.
        InvalidRequest: a link in the source or the model leads nowhere.
    """
    serve = config.require_serve()
    entry_point = _entry_point(config, "serve", serve.entry_point)
    source = _source(config, "serve", serve.source)
    if model is None and serve.model is not None:
        model = _model_path(config, serve.model)
    elsewhere = () if model is None else (model,)
    found = find_files(source, besides=(*_configuration(config), *elsewhere))
    code = _with_entry_point(config, found, entry_point)
    members = {f"{CODE}/{name}": path for name, path in code.files.items()}
    whole = {f"{CODE}/{name}".rstrip("/"): path for name, path in code.whole_folders.items()}
    if model is None:
        members[_NO_MODEL.name] = _NO_MODEL
    else:
        content = _model_content(config, model)
        members.update(content.files)
        whole.update({name: path for name, path in content.whole_folders.items() if name})
    return Package(entry_point.name, members, whole)


def source_package(config: ProjectConfig) -> Package:
    """Return the source that `train:` describes; the script keeps its place in it.

    Raises:
        ConfigError: there is no `train:`, or something that it names is not there.
        InvalidRequest: a link in the source leads nowhere.
    """
    train = config.require_train()
    entry_point = _entry_point(config, "train", train.entry_point)
    source = _source(config, "train", train.source)
    if not entry_point.is_relative_to(source):
        raise config.problem(("train", "entry_point"), f"{entry_point} is not in {source}")
    found = find_files(source, besides=_configuration(config))
    program = entry_point.relative_to(source).as_posix()
    # An ignored script was still named outright.
    return Package(program, {**found.files, program: entry_point}, found.whole_folders)


def packed(package: Package, folder: Path) -> Path:
    """Return the package's archive in a folder of archives, made if its hash is new there.

    Archives of earlier content are removed.

    Raises:
        DiskFull: there is no space for it.
    """
    archive = folder / f"{package.content_hash[:16]}.tar.gz"
    if not archive.exists():
        pack(folder, archive, members=package.members)
    for other in folder.glob("*.tar.gz"):
        if other != archive:
            other.unlink()
    return archive


def working_folder(config: ProjectConfig, environment: str) -> Path:
    """Return `.sagelet/<environment>` of the project, which git is told to leave alone."""
    top = config.project / ".sagelet"
    folder = top / environment
    folder.mkdir(parents=True, exist_ok=True)
    ignore = top / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


def _configuration(config: ProjectConfig) -> tuple[Path, ...]:
    return () if config.file is None else (config.file,)


def _entry_point(config: ProjectConfig, section: str, written: Path) -> Path:
    path = _normal(config.path(written))
    if not path.is_file():
        raise config.problem((section, "entry_point"), f"there is no file {path}")
    return path


def _source(config: ProjectConfig, section: str, written: Path) -> Path:
    path = _normal(config.path(written))
    if not path.is_dir():
        raise config.problem((section, "source"), f"there is no folder {path}")
    return path


def _model_path(config: ProjectConfig, written: Path) -> Path:
    path = config.path(written).resolve()
    if not path.exists():
        raise config.problem(("serve", "model"), f"there is no {config.path(written)}; train first")
    if path.name.endswith(_ARCHIVE_SUFFIXES):
        raise config.problem(
            ("serve", "model"), f"{path} is an archive; name the folder that it is made of"
        )
    return path


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _with_entry_point(config: ProjectConfig, found: Found, entry_point: Path) -> Found:
    there = found.files.get(entry_point.name)
    if there is None:
        found.files[entry_point.name] = entry_point
        found.whole_folders.pop("", None)
    elif not there.samefile(entry_point):
        raise _collision(config, "entry_point", f"{CODE}/{entry_point.name}", entry_point, there)
    return found


def _model_content(config: ProjectConfig, model: Path) -> Found:
    if model.is_file():
        return Found(files={model.name: model})
    if (model / CODE).exists():
        raise _collision(config, "model", CODE, model / CODE, config.path("."))
    content = _everything(model)
    if not content.files:
        raise config.problem(("serve", "model"), f"there is nothing in {model}")
    return content


def _everything(folder: Path) -> Found:
    # No ignore file has a say in a folder of weights, which are ignored more often than not.
    return find_files(folder, ignoring=False)


def _collision(config: ProjectConfig, key: str, name: str, one: Path, other: Path) -> BadConfig:
    return config.problem(
        ("serve", key), f"{one} and {other} both want to be {name} in the archive"
    )
