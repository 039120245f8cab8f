"""requirements.txt beside an interpreter's own packages: real installers, wheels made by hand."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import venv
from pathlib import Path

import pytest

from sagelet.errors import RequirementsFailed
from sagelet.supervision.installers import Installer, Pip, Uv, find_installer
from sagelet.supervision.requirements import RequirementsCache
from tests.wheels import make_wheel


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has `tokens` 1.0, and a folder with all the wheels there are."""
    root = tmp_path_factory.mktemp("machine")
    venv.create(root / "venv", with_pip=False, symlinks=True)
    wheels = root / "wheels"
    own = make_wheel(root / "own", "tokens", "1.0")
    (site_packages,) = (root / "venv" / "lib").glob("python*/site-packages")
    shutil.unpack_archive(own, site_packages, "zip")
    # pip runs under the interpreter that it installs for; this one borrows ours.
    (site_packages / "borrowed.pth").write_text(f"{_folder_of('pip')}\n")
    make_wheel(wheels, "tokens", "1.0")
    make_wheel(wheels, "tokens", "2.0")
    make_wheel(wheels, "stemmer", "0.3", needs=("tokens>=1",))
    return root


def _folder_of(module: str) -> str:
    import importlib.util

    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parents[1]
    return str(folder)


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest) -> Installer:
    """Each of the two installers."""
    if request.param == "pip":
        return Pip()
    found = find_installer()
    assert isinstance(found, Uv), "uv belongs to the development environment"
    return found


def cache(tmp_path: Path, installer: Installer) -> RequirementsCache:
    return RequirementsCache(tmp_path / "packages", os.environ, installer)


def requirements(tmp_path: Path, machine: Path, *lines: str) -> Path:
    file = tmp_path / "requirements.txt"
    header = ["--no-index", f"--find-links {machine / 'wheels'}"]
    file.write_text("\n".join([*header, *lines]) + "\n")
    return file


async def test_what_is_missing_is_installed_and_what_is_there_is_not(
    tmp_path: Path, machine: Path, installer: Installer
) -> None:
    said: list[str] = []
    file = requirements(tmp_path, machine, "stemmer  # and with it tokens, which is there")
    folder = await cache(tmp_path, installer).ensure(_python(machine), file, said.append)
    assert (folder / "stemmer.py").is_file()
    assert not (folder / "tokens.py").exists()
    assert said[0] == f"installing requirements.txt with {installer.name}"
    assert said[1].startswith("installed stemmer==0.3 in ")


async def test_the_same_requirements_are_installed_once(
    tmp_path: Path, machine: Path, installer: Installer
) -> None:
    said: list[str] = []
    file = requirements(tmp_path, machine, "stemmer")
    first = cache(tmp_path, installer)
    both = await asyncio.gather(
        *(first.ensure(_python(machine), file, said.append) for _ in range(2))
    )
    again = await cache(tmp_path, installer).ensure(_python(machine), file, said.append)
    assert both == [again, again]
    assert len(said) == 2


async def test_a_requirement_against_what_is_installed_fails_in_the_installers_words(
    tmp_path: Path, machine: Path, installer: Installer
) -> None:
    file = requirements(tmp_path, machine, "tokens>=2")
    with pytest.raises(RequirementsFailed) as failed:
        await cache(tmp_path, installer).ensure(_python(machine), file, lambda _: None)
    assert "tokens" in failed.value.said
    assert str(failed.value).startswith(f"InstallRequirementsError: {file} could not be installed.")
    assert list((tmp_path / "packages").iterdir()) == []


async def test_a_changed_file_gets_another_folder_and_leaves_the_first_alone(
    tmp_path: Path, machine: Path, installer: Installer
) -> None:
    packages = cache(tmp_path, installer)
    file = requirements(tmp_path, machine, "tokens")
    first = await packages.ensure(_python(machine), file, lambda _: None)
    assert list(first.iterdir()) == []
    second = await packages.ensure(
        _python(machine), requirements(tmp_path, machine, "stemmer"), lambda _: None
    )
    assert first != second
    assert first.is_dir()


async def test_included_files_count_and_their_paths_are_relative_to_them(
    tmp_path: Path, machine: Path, installer: Installer
) -> None:
    shutil.copytree(machine / "wheels", tmp_path / "more" / "wheels")
    (tmp_path / "more" / "links.txt").write_text("--no-index\n-f wheels\n")
    file = tmp_path / "requirements.txt"
    file.write_text("-r more/links.txt\n\nstemmer\n")
    if installer.name == "uv":
        # uv takes a relative folder to be below the working directory, as pip does not.
        (tmp_path / "more" / "links.txt").write_text(
            f"--no-index\n-f {tmp_path / 'more' / 'wheels'}\n"
        )
    folder = await cache(tmp_path, installer).ensure(_python(machine), file, lambda _: None)
    assert (folder / "stemmer.py").is_file()


async def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path, machine: Path) -> None:
    file = requirements(tmp_path, machine, "stemmer")
    with pytest.raises(RequirementsFailed, match="/nowhere/python"):
        await cache(tmp_path, Pip()).ensure(Path("/nowhere/python"), file, lambda _: None)


def test_the_development_environment_prefers_uv() -> None:
    assert find_installer().name == "uv"
    assert Path(sys.executable).parent.joinpath("uv").exists()


def _python(machine: Path) -> Path:
    return machine / "venv" / "bin" / "python"
