"""Where a configuration file is looked for. First hit wins:

    --config FILE                       explicit; a missing file is an error
    $SAGELET_CONFIG                     the same
    config.yml                          beside the script that made the DeployEnv
    sagelet.yml                         in the start folder and upwards, to the repository's root
    deploy/sagemaker/config.yml         in the same folders

Outside a repository only the start folder itself is looked in: a file in a folder above, such as
/tmp, may be somebody else's, and a configuration names programs to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagelet.environments.yaml_document import read_document
from sagelet.errors import BadConfig, ConfigNotFound

PROJECT_FILE = "sagelet.yml"
ARTICLE_FILE = Path("deploy", "sagemaker", "config.yml")
BESIDE = "config.yml"
VARIABLE = "SAGELET_CONFIG"


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, and where it was looked for."""

    file: Path | None
    searched: tuple[str, ...]


def find_config(
    explicit: Path | None,
    *,
    beside: Path | None,
    start: Path,
    environ: Mapping[str, str],
) -> Search:
    """Look for the configuration file.

    `beside` is the folder of the script that made the DeployEnv; `start` the folder to begin in.

    Raises:
        ConfigNotFound: a file that was named outright is not there.
    """
    named = _named(explicit, environ)
    if named is not None:
        return named
    searched: list[str] = []
    for place, is_ours in _candidates(beside, start):
        if str(place) in searched:
            continue
        searched.append(str(place))
        if place.is_file() and (is_ours or _has_environments(place)):
            return Search(place, tuple(searched))
    return Search(None, tuple(searched))


def project_of(file: Path) -> Path:
    """Return the project's folder: the one that relative paths in the file start from.

    It is the file's own folder, or, for `deploy/sagemaker/config.yml`, the one that holds `deploy`.
    """
    if file.parts[-3:] == ARTICLE_FILE.parts:
        return file.parents[2]
    return file.parent


def _named(explicit: Path | None, environ: Mapping[str, str]) -> Search | None:
    by_variable = environ.get(VARIABLE)
    if explicit is None and not by_variable:
        return None
    file = (explicit or Path(by_variable or "")).expanduser().absolute()
    label = str(file) if explicit is not None else f"{file} (${VARIABLE})"
    if not file.exists():
        raise ConfigNotFound(searched=(label,))
    return Search(file, (label,))


def _candidates(beside: Path | None, start: Path) -> Iterator[tuple[Path, bool]]:
    """Yield each place, and whether a file of that name is certainly ours."""
    if beside is not None:
        yield beside / BESIDE, False
    for first in (beside, start):
        if first is not None:
            for folder in _upwards(first):
                yield folder / PROJECT_FILE, True
                yield folder / ARTICLE_FILE, True


def _upwards(start: Path) -> tuple[Path, ...]:
    folders = (start, *start.parents)
    for index, folder in enumerate(folders):
        if (folder / ".git").exists():
            return folders[: index + 1]
    return (start,)


def _has_environments(file: Path) -> bool:
    """Tell our `config.yml` from another tool's; one that does not parse is taken for ours."""
    try:
        return "environments" in read_document(file).data
    except BadConfig:
        return True
