from __future__ import annotations

import os
from pathlib import Path

from sagelet.artifacts.hashes import tree_hash
from sagelet.deploy.packaging import model_package, working_folder
from sagelet.deploy.staging import is_staged, stage
from tests.unit.deploy.projects import Project


def staged(project: Project) -> Path:
    folder = working_folder(project.config, "local") / "model"
    return stage(model_package(project.config), folder)


def links(folder: Path) -> set[str]:
    return {
        str(Path(root, name).relative_to(folder))
        for root, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if Path(root, name).is_symlink()
    }


def test_the_links_show_what_the_archive_would_hold(project: Project) -> None:
    folder = staged(project)
    package = model_package(project.config)
    assert (folder / "code/serve.py").read_text(encoding="utf-8") == "def model_fn(d): ...\n"
    assert (folder / "model.pt").read_text(encoding="utf-8") == "weights"
    for name, path in package.members.items():
        assert (folder / name).samefile(path)


def test_whole_folders_are_one_link_so_that_new_files_are_seen(project: Project) -> None:
    folder = staged(project)
    assert links(folder) == {
        "code/deploy",
        "code/serve.py",
        "code/text_classification",
        "code/train.py",
        "model.pt",
        "vocab",
    }
    project.write("text_classification/new.py", "y = 1\n")
    assert (folder / "code/text_classification/new.py").exists()


def test_saving_a_file_is_enough_to_change_what_is_served(project: Project) -> None:
    folder = staged(project)
    project.write("deploy/sagemaker/serve.py", "changed\n")
    assert (folder / "code/serve.py").read_text(encoding="utf-8") == "changed\n"


def test_only_what_differs_is_touched(project: Project) -> None:
    folder = staged(project)
    before = {name: (folder / name).lstat().st_ino for name in links(folder)}
    project.write("extra.py")
    project.write("text_classification/x.log", "ignored\n")
    (project.root / "train.py").rename(project.root / "train2.py")
    project.replace("entry_point: train.py", "entry_point: train2.py")
    staged(project)
    after = {name: (folder / name).lstat().st_ino for name in links(folder)}
    assert set(after) - set(before) == {
        "code/extra.py",
        "code/train2.py",
        "code/text_classification/__init__.py",
        "code/text_classification/predict.py",
    }
    assert set(before) - set(after) == {"code/train.py", "code/text_classification"}
    assert all(after[name] == before[name] for name in set(before) & set(after))


def test_a_folder_becomes_one_link_again(project: Project) -> None:
    log = project.write("text_classification/x.log", "ignored\n")
    folder = staged(project)
    assert not (folder / "code/text_classification").is_symlink()
    log.unlink()
    assert (staged(project) / "code/text_classification").is_symlink()


def test_strangers_in_the_folder_are_removed_and_the_projects_files_are_not(
    project: Project,
) -> None:
    folder = staged(project)
    (folder / "cache").mkdir()
    (folder / "cache" / "x").write_text("", encoding="utf-8")
    (folder / "code" / "stray.txt").write_text("", encoding="utf-8")
    before = tree_hash(project.root / "text_classification")
    assert not is_staged(model_package(project.config), folder)
    staged(project)
    assert not (folder / "cache").exists()
    assert not (folder / "code" / "stray.txt").exists()
    assert tree_hash(project.root / "text_classification") == before


def test_whether_it_is_staged_can_be_told(project: Project) -> None:
    folder = working_folder(project.config, "local") / "model"
    assert not is_staged(model_package(project.config), folder)
    staged(project)
    assert is_staged(model_package(project.config), folder)
    project.write("extra.py")
    assert not is_staged(model_package(project.config), folder)
