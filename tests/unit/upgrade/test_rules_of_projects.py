"""The rules of requirements, entry points, shell scripts and archives."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from sagelet.upgrade.contents import strings_of
from sagelet.upgrade.findings import Severity
from sagelet.upgrade.needs import read_requirements
from tests.unit.upgrade.marked import JOB, a_project, assert_found, findings

torch = pytest.importorskip("torch")


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py").replace("_txt", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_imports_that_neither_the_image_nor_a_list_brings_are_found(tmp_path: Path) -> None:
    write(
        tmp_path, requirements_txt="transformers>=4\nscikit_image; python_version > '3.8'\n# tqdm\n"
    )
    snippet = """
        import json, numpy, sklearn.metrics
        import transformers, skimage.io as io
        ▸import timm
        ▸from einops.layers import Rearrange
        import google.protobuf
        try:
            import wandb
        except ImportError:
            wandb = None
        if TYPE_CHECKING:
            import pandera
        def f(loss):
            ▸import optuna
            loss.backward()
        import torch
    """

    assert_found("missing-requirement", snippet, tmp_path)


def test_a_module_beside_the_script_is_read_in_turn(tmp_path: Path) -> None:
    write(
        tmp_path,
        src__model_py="import torch\nimport timm\nfrom . import blocks\nimport blocks.deep.end",
        src__blocks__init_py="",
        src__blocks__deep__end_py="import einops, timm",
    )
    (tmp_path / "src" / "blocks" / "__init__.py").write_text("from blocks.deep import end\n")
    (tmp_path / "src" / "train.py").write_text("from model import Net\n" + JOB)

    found = findings(tmp_path / "src" / "train.py", rule="missing-requirement")

    assert {(each.path.name, each.line, each.hint) for each in found} == {
        ("model.py", 2, "add the line `timm`"),
        ("end.py", 1, "add the line `einops`"),
    }


def test_a_script_that_neither_trains_nor_serves_may_import_what_it_likes(tmp_path: Path) -> None:
    assert_found("missing-requirement", "import timm\n", tmp_path)


@pytest.mark.parametrize(
    "more", ["-r other.txt", "-e .", "git+https://host/a/b.git", "./wheels/a.whl"]
)
def test_a_list_with_lines_that_name_nothing_is_not_judged(more: str, tmp_path: Path) -> None:
    write(tmp_path, requirements_txt=f"numpy\n{more}\n")

    assert_found("missing-requirement", "import timm\n" + JOB, tmp_path)


def test_where_a_listed_name_is_nothing_imported_a_missing_one_is_a_hint(tmp_path: Path) -> None:
    write(tmp_path, requirements_txt="our-internal-models\n", train_py="import ours\n" + JOB)

    (found,) = findings(tmp_path / "train.py", rule="missing-requirement")

    assert found.severity is Severity.HINT


def test_an_image_for_serving_brings_less_than_one_for_training(tmp_path: Path) -> None:
    write(tmp_path, train_py="import seaborn, accelerate\n" + JOB)
    write(tmp_path, serve_py="import seaborn\ndef model_fn(d):\n    return 1\n")

    assert findings(tmp_path / "train.py", rule="missing-requirement") == []
    assert len(findings(tmp_path / "serve.py", rule="missing-requirement")) == 1


def test_modules_among_distributions_are_named(tmp_path: Path) -> None:
    listed = "▸sklearn\nscikit-learn\n▸PIL>=9\nopencv-python\n# cv2\n\n ▸yaml\nbs4\n"

    assert_found("requirement-name", listed, tmp_path, name="requirements.txt")


def test_requirements_are_read_as_pip_reads_them() -> None:
    listed = read_requirements("--hash=x\n--extra-index-url y\na[b]==1 # c\nd @ https://e/f.whl\n")

    assert listed.names == {"a", "d"}
    assert not listed.is_open


def test_requirements_beside_an_entry_point_below_the_source_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, deploy__serve_py="", deploy__requirements_txt="timm", train_py="")
    project = a_project(tmp_path, serve="deploy/serve.py")

    (found,) = findings(tmp_path, project, "requirements-place")

    assert (found.path.name, found.line) == ("sagelet.yml", 2)
    assert found.message.startswith("deploy/requirements.txt is not read")

    write(tmp_path, requirements_txt="timm")
    assert findings(tmp_path, project, "requirements-place") == []


@pytest.mark.parametrize(
    ("script", "count"),
    [("python train.py", 1), ("pip install -r requirements.txt\npython train.py", 0)],
)
def test_a_shell_script_has_to_install_its_requirements(
    script: str, count: int, tmp_path: Path
) -> None:
    write(tmp_path, requirements_txt="timm")
    (tmp_path / "train.sh").write_text(script)

    found = findings(
        tmp_path, a_project(tmp_path, train="train.sh"), "shell-entry-with-requirements"
    )

    assert len(found) == count


def test_entry_points_are_where_the_configuration_says(tmp_path: Path) -> None:
    write(tmp_path, src__train_py="", beside_py="")

    def said(**names: str) -> list[str]:
        project = a_project(tmp_path, source="src", **names)  # type: ignore[arg-type]  # by name
        return [each.message for each in findings(tmp_path, project, "entry-point-missing")]

    assert said(train="src/train.py") == []
    assert "which is not there" in said(train="src/trian.py")[0]
    assert "is not in the source folder" in said(train="beside.py")[0]
    assert "`serve: entry_point:`" in said(train="src/train.py", serve="serve.py")[0]


@pytest.mark.parametrize(
    ("names", "count"),
    [
        ({"train": "train-v2.1.py"}, 0),
        ({"train": "my train.py"}, 1),
        ({"serve": "serve-it.py"}, 0),
        ({"serve": "serve.v2.py"}, 1),
    ],
)
def test_names_that_the_toolkits_refuse_are_told(
    names: dict[str, str], count: int, tmp_path: Path
) -> None:
    project = a_project(tmp_path, **names)  # type: ignore[arg-type]  # by name
    for name in names.values():
        (tmp_path / name).write_text("")

    assert len(findings(tmp_path, project, "entry-point-name")) == count


def test_python_m_with_a_file_is_found_in_shell_scripts(tmp_path: Path) -> None:
    script = """
        # python -m train.py
        python3 ▸-m training/train.py --epochs 3
        python -m training.train
        exec python -u ▸-m train.py
        python train.py
    """

    assert_found("python-m-file", script, tmp_path, name="run.sh")


def an_archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def weights(*names: str, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    state = {name: torch.zeros(2) for name in names}
    torch.save({"epoch": 1, "state": state}, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


GOOD = {"./model.pth": b"", "code/inference.py": b"", "code/requirements.txt": b""}
ARCHIVES: list[tuple[str, dict[str, bytes], list[str]]] = [
    ("good", GOOD, []),
    ("no code at all", {"model.pt": b""}, []),
    (
        "one folder",
        {f"model/{n.removeprefix('./')}": c for n, c in GOOD.items()},
        ["archive-layout"],
    ),
    ("scripts at the root", {"model.pth": b"", "inference.py": b""}, ["archive-layout"]),
    (
        "requirements at the root",
        {"requirements.txt": b"", "code/a.py": b""},
        ["requirements-place"],
    ),
    ("what macOS adds", {**GOOD, "._model.pth": b"", "code/._a.py": b""}, ["archive-junk"]),
    ("byte code", {**GOOD, "code/__pycache__/a.pyc": b""}, ["archive-junk"]),
    ("leads outside", {"../evil": b""}, ["archive-refused"]),
    ("absolute", {"/evil": b""}, ["archive-refused"]),
    ("prefixed", {"model.pth": weights("module.a.weight", "module.a.bias")}, ["module-prefix"]),
    ("old format", {"m.pt": weights("module.a.weight", legacy=True)}, ["module-prefix"]),
    ("a submodule called module", {"m.pt": weights("module.a.weight", "b.weight")}, []),
    ("plain", {"m.pt": weights("a.weight", "a.bias"), "n.pt": weights("a.bias", legacy=True)}, []),
    ("no weights", {"m.pt": b"PK\x03\x04" + b"\xff" * 40, "n.pt": b"\x80\x04garbage"}, []),
]


@pytest.mark.parametrize(
    ("files", "rules"), [case[1:] for case in ARCHIVES], ids=[c[0] for c in ARCHIVES]
)
def test_an_archive_is_looked_at(files: dict[str, bytes], rules: list[str], tmp_path: Path) -> None:
    path = an_archive(tmp_path / "model.tar.gz", files)

    assert [each.rule for each in findings(path)] == rules


def test_a_second_file_of_macos_is_worse_than_junk(tmp_path: Path) -> None:
    (found,) = findings(an_archive(tmp_path / "model.tar.gz", {**GOOD, "._model.pth": b""}))

    assert found.severity is Severity.WARNING


def test_links_that_lead_outside_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("code/link")
        member.type, member.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        archive.addfile(member)

    (found,) = findings(path)

    assert "links outside" in found.message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[: len(data) // 2], "truncated"),
        (lambda data: data[:-8] + bytes(4) + data[-4:], "corrupt archive (CRC)"),
        (lambda data: b"<html>", "HTML page"),
        (lambda data: gzip.compress(b"x" * 600), "not a tar"),
        (lambda data: b"", "empty"),
    ],
)
def test_a_damaged_archive_is_said_to_be(change: object, message: str, tmp_path: Path) -> None:
    path = an_archive(tmp_path / "model.tar.gz", {**GOOD, "model.pth": bytes(range(256)) * 40})
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]  # a function of bytes

    (found,) = findings(path)

    assert found.rule == "archive-refused"
    assert message in found.message


def test_data_in_an_archives_code_is_told_of(tmp_path: Path) -> None:
    path = an_archive(
        tmp_path / "model.tar.gz", {"code/a.py": b"", "code/data.csv": bytes(51_000_000)}
    )

    (found,) = findings(path)

    assert found.rule == "archive-size"
    assert "51 MB, above all code/data.csv" in found.message


def test_a_models_folder_is_looked_at_where_the_project_names_it(tmp_path: Path) -> None:
    write(tmp_path, train_py="", serve_py="def model_fn(d):\n    return 1\n")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.pt").write_bytes(weights("module.a.weight"))
    project = a_project(tmp_path, serve="serve.py", model="model")

    (found,) = findings(tmp_path / "model", project)

    assert (found.rule, found.path.name) == ("module-prefix", "model")


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    class Canary:
        def __reduce__(self) -> tuple[object, ...]:
            return (tmp_path.joinpath("sung").touch, ())

    file = io.BytesIO()
    torch.save({"module.a.weight": Canary()}, file)

    assert "module.a.weight" in strings_of(file.getvalue())
    assert not (tmp_path / "sung").exists()
