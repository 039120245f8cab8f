from __future__ import annotations

import tarfile

import pytest

from sagelet.deploy.packaging import model_package, packed, source_package, working_folder
from sagelet.errors import BadConfig, ConfigNotFound
from tests.unit.deploy.projects import Project


def test_the_model_lies_at_the_root_and_the_source_in_code(project: Project) -> None:
    package = model_package(project.config)
    assert package.program == "serve.py"
    assert sorted(package.members) == [
        "code/deploy/sagemaker/serve.py",
        "code/serve.py",
        "code/text_classification/__init__.py",
        "code/text_classification/predict.py",
        "code/train.py",
        "model.pt",
        "vocab/words.json",
    ]


def test_a_link_to_the_model_is_followed_once(project: Project) -> None:
    members = model_package(project.config).members
    assert members["model.pt"] == project.root / "experiments/run1/model.pt"


def test_the_same_content_has_the_same_hash_and_another_another(project: Project) -> None:
    first = model_package(project.config)
    project.write("debug.log", "ignored\n")
    assert model_package(project.config).content_hash == first.content_hash
    project.write("text_classification/predict.py", "x = 2\n")
    assert model_package(project.config).content_hash != first.content_hash


def test_the_archive_is_made_once_for_its_content(project: Project) -> None:
    folder = working_folder(project.config, "production") / "archives"
    archive = packed(model_package(project.config), folder)
    with tarfile.open(archive) as tar:
        assert "code/serve.py" in tar.getnames()
        assert "model.pt" in tar.getnames()
    made_at = archive.stat().st_mtime_ns
    again = packed(model_package(project.config), folder)
    assert (again, again.stat().st_mtime_ns) == (archive, made_at)
    project.write("train.py", "changed\n")
    other = packed(model_package(project.config), folder)
    assert other != archive
    assert [file.name for file in folder.iterdir()] == [other.name]


def test_the_working_folder_is_hidden_from_git(project: Project) -> None:
    folder = working_folder(project.config, "local")
    assert folder == project.root / ".sagelet" / "local"
    assert (project.root / ".sagelet" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_an_entry_point_at_the_sources_root_is_there_once(project: Project) -> None:
    project.replace("deploy/sagemaker/serve.py", "train.py")
    package = model_package(project.config)
    assert package.program == "train.py"
    assert "code/train.py" in package.members


def test_an_ignored_entry_point_was_still_named(project: Project) -> None:
    project.write(".sagemakerignore", "deploy/\ntrain.py\n")
    assert "code/serve.py" in model_package(project.config).members
    assert "train.py" in source_package(project.config).members


def test_one_file_is_a_model_too(project: Project) -> None:
    project.replace("experiments/latest", "experiments/run1/model.pt")
    assert "model.pt" in model_package(project.config).members


def test_code_alone_is_not_the_archives_only_folder(project: Project) -> None:
    project.replace("  model: experiments/latest\n", "")
    members = model_package(project.config).members
    assert {name.partition("/")[0] for name in members} == {"code", "no-model.txt"}
    assert members["no-model.txt"].is_file()


def test_a_model_is_not_packed_twice(project: Project) -> None:
    project.write(".gitignore", "")
    members = model_package(project.config).members
    assert not [name for name in members if name.startswith("code/experiments/run1")]


@pytest.mark.parametrize(
    ("old", "new", "where", "problem"),
    [
        ("sagemaker/serve.py", "serve.py", "serve.entry_point", "there is no file"),
        ("source: .", "source: src", "serve.source", "there is no folder"),
        ("experiments/latest", "experiments/run9", "serve.model", "train first"),
    ],
)
def test_what_is_missing_names_its_line(
    project: Project, old: str, new: str, where: str, problem: str
) -> None:
    project.replace(old, new)
    with pytest.raises(BadConfig) as raised:
        model_package(project.config)
    assert raised.value.where.endswith(where)
    assert problem in raised.value.problem


def test_two_files_cannot_have_one_place(project: Project) -> None:
    project.write("serve.py", "another\n")
    with pytest.raises(BadConfig, match=r"both want to be code/serve\.py"):
        model_package(project.config)


def test_a_model_with_a_code_folder_collides(project: Project) -> None:
    project.write("experiments/run1/code/inference.py")
    with pytest.raises(BadConfig, match="both want to be code in the archive"):
        model_package(project.config)


def test_an_archive_is_no_model_folder(project: Project) -> None:
    project.write("build/model.tar.gz")
    project.replace("experiments/latest", "build/model.tar.gz")
    with pytest.raises(BadConfig, match="name the folder"):
        model_package(project.config)


def test_an_empty_model_folder_is_said_to_be_empty(project: Project) -> None:
    (project.root / "experiments" / "run2").mkdir()
    project.replace("experiments/latest", "experiments/run2")
    with pytest.raises(BadConfig, match="there is nothing in"):
        model_package(project.config)


def test_without_a_configuration_there_is_nothing_to_pack(project: Project) -> None:
    (project.root / "sagelet.yml").unlink()
    with pytest.raises(ConfigNotFound):
        model_package(project.config)


def test_a_training_source_keeps_its_layout(project: Project) -> None:
    project.replace("entry_point: train.py", "entry_point: text_classification/predict.py")
    package = source_package(project.config)
    assert package.program == "text_classification/predict.py"
    assert "text_classification/predict.py" in package.members
    assert "data/a.csv" not in package.members


def test_a_training_script_outside_its_source_is_refused(project: Project) -> None:
    project.replace("entry_point: train.py", "entry_point: train.py\n  source: deploy")
    with pytest.raises(BadConfig, match="is not in"):
        source_package(project.config)
