from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sagelet.environments.search import Search, find_config, project_of
from sagelet.errors import ConfigNotFound

OURS = "environments: {local: {}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "deploy" / "sagemaker").mkdir(parents=True)
    return root


def written(file: Path, text: str = OURS) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def find(
    start: Path,
    explicit: Path | None = None,
    beside: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Search:
    return find_config(explicit, beside=beside, start=start, environ=environ or {})


def test_the_named_file_comes_before_all_others(project: Path) -> None:
    named = written(project / "other.yml")
    by_variable = written(project / "variable.yml")
    beside = written(project / "deploy" / "sagemaker" / "config.yml")
    above = written(project / "sagelet.yml")
    environ = {"SAGELET_CONFIG": str(by_variable)}
    assert find(project, named, beside.parent, environ).file == named
    assert find(project, None, beside.parent, environ).file == by_variable
    assert find(project, None, beside.parent).file == beside
    assert find(project).file == above
    above.unlink()
    assert find(project).file == beside


def test_a_named_file_that_is_missing_is_an_error(project: Path) -> None:
    written(project / "sagelet.yml")
    with pytest.raises(ConfigNotFound, match=r"nowhere\.yml"):
        find(project, project / "nowhere.yml")
    with pytest.raises(ConfigNotFound, match=r"\$SAGELET_CONFIG"):
        find(project, environ={"SAGELET_CONFIG": str(project / "nowhere.yml")})


def test_the_search_goes_up_to_the_repositorys_root_and_no_further(project: Path) -> None:
    written(project.parent / "sagelet.yml")
    inside = project / "a" / "b"
    inside.mkdir(parents=True)
    assert find(inside).file is None
    above = written(project / "sagelet.yml")
    assert find(inside).file == above


def test_outside_a_repository_only_the_start_folder_is_looked_in(tmp_path: Path) -> None:
    written(tmp_path / "sagelet.yml")
    below = tmp_path / "below"
    below.mkdir()
    assert find(below).file is None
    assert find(tmp_path).file == tmp_path / "sagelet.yml"


def test_another_tools_config_yml_beside_the_script_is_passed_over(project: Path) -> None:
    written(project / "scripts" / "config.yml", "defaults: [a, b]\n")
    ours = written(project / "sagelet.yml")
    assert find(project, beside=project / "scripts").file == ours


def test_a_broken_config_yml_beside_the_script_is_taken_for_ours(project: Path) -> None:
    broken = written(project / "scripts" / "config.yml", "environments: [\n")
    assert find(project, beside=project / "scripts").file == broken


def test_the_scripts_project_comes_before_the_current_folders(
    project: Path, tmp_path: Path
) -> None:
    ours = written(project / "sagelet.yml")
    elsewhere = written(tmp_path / "elsewhere" / "sagelet.yml")
    assert find(elsewhere.parent, beside=project / "scripts").file == ours


def test_every_place_is_listed_when_there_is_nothing(project: Path) -> None:
    search = find(project, beside=project)
    assert search.file is None
    assert [Path(place).relative_to(project).as_posix() for place in search.searched] == [
        "config.yml",
        "sagelet.yml",
        "deploy/sagemaker/config.yml",
    ]


def test_paths_start_from_the_project(tmp_path: Path) -> None:
    assert project_of(tmp_path / "deploy" / "sagemaker" / "config.yml") == tmp_path
    assert project_of(tmp_path / "sagelet.yml") == tmp_path
    assert project_of(tmp_path / "scripts" / "config.yml") == tmp_path / "scripts"
