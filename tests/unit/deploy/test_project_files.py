from __future__ import annotations

import os
from pathlib import Path

import pytest

from sagelet.deploy.project_files import find_files
from sagelet.errors import InvalidRequest


def tree(root: Path, **files: str) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


def names(source: Path) -> list[str]:
    return sorted(find_files(source).files)


def test_ignored_files_and_leftovers_are_left_out(tmp_path: Path) -> None:
    source = tree(
        tmp_path,
        **{
            ".gitignore": "*.log\n/data/\n",
            "a.py": "",
            "a.log": "",
            "data/x.csv": "",
            "pkg/data/y.csv": "",
            "pkg/__pycache__/m.pyc": "",
            "pkg/m.py~": "",
            ".DS_Store": "",
            ".git/HEAD": "",
            ".sagelet/local/model/x": "",
            "env/pyvenv.cfg": "",
            "env/lib/python3.11/site.py": "",
        },
    )
    assert names(source) == ["a.py", "pkg/data/y.csv"]


def test_the_deepest_ignore_file_decides(tmp_path: Path) -> None:
    source = tree(
        tmp_path,
        **{
            ".gitignore": "*.bin\n",
            "keep/.gitignore": "!*.bin\n",
            "keep/a.bin": "",
            "keep/deep/.gitignore": "a.bin\n",
            "keep/deep/a.bin": "",
            "keep/deep/b.bin": "",
            "other/a.bin": "",
        },
    )
    assert names(source) == ["keep/a.bin", "keep/deep/b.bin"]


def test_sagemakerignore_has_the_last_word_in_its_folder(tmp_path: Path) -> None:
    source = tree(
        tmp_path,
        **{
            ".gitignore": "vocab.json\n",
            ".sagemakerignore": "!vocab.json\ntests/\n",
            "vocab.json": "",
            "tests/test_a.py": "",
        },
    )
    assert names(source) == ["vocab.json"]


def test_rules_above_the_source_count_up_to_the_repositorys_root(tmp_path: Path) -> None:
    tree(tmp_path, **{".gitignore": "*.py\n"})
    tree(
        tmp_path / "repository",
        **{".git/HEAD": "", ".gitignore": "*.log\n", "src/a.py": "", "src/a.log": ""},
    )
    assert names(tmp_path / "repository" / "src") == ["a.py"]


def test_a_source_that_is_ignored_itself_was_still_named(tmp_path: Path) -> None:
    tree(tmp_path, **{".git/HEAD": "", ".gitignore": "build/\n", "build/app/a.py": ""})
    assert names(tmp_path / "build" / "app") == ["a.py"]


def test_linked_files_and_folders_travel_by_content(tmp_path: Path) -> None:
    outside = tree(tmp_path / "shared", **{"m.py": ""})
    source = tree(tmp_path / "source", **{"a.py": ""})
    (source / "shared").symlink_to(outside)
    (source / "b.py").symlink_to("a.py")
    assert names(source) == ["a.py", "b.py", "shared/m.py"]


def test_a_link_to_nothing_is_named_and_an_editors_lock_is_not(tmp_path: Path) -> None:
    source = tree(tmp_path, **{"a.py": ""})
    (source / ".#a.py").symlink_to("user@host.123")
    assert names(source) == ["a.py"]
    (source / "gone").symlink_to("nowhere")
    with pytest.raises(InvalidRequest, match=r"gone is a link to nothing.*sagemakerignore"):
        names(source)
    (source / ".sagemakerignore").write_text("gone\n", encoding="utf-8")
    assert names(source) == ["a.py"]


def test_a_ring_of_links_is_refused(tmp_path: Path) -> None:
    source = tree(tmp_path, **{"a/b.py": ""})
    (source / "a" / "up").symlink_to("..")
    with pytest.raises(InvalidRequest, match="a link to a folder that holds it"):
        names(source)


def test_a_fifo_is_left_out(tmp_path: Path) -> None:
    source = tree(tmp_path, **{"a.py": ""})
    os.mkfifo(source / "pipe")
    assert names(source) == ["a.py"]


def test_a_folder_is_whole_when_nothing_but_leftovers_was_left_out(tmp_path: Path) -> None:
    source = tree(
        tmp_path,
        **{
            ".gitignore": "*.log\n",
            "whole/a.py": "",
            "whole/sub/b.py": "",
            "whole/__pycache__/a.pyc": "",
            "part/a.py": "",
            "part/sub/b.py": "",
            "part/a.log": "",
            "nothing/a.log": "",
        },
    )
    assert sorted(find_files(source).whole_folders) == ["part/sub", "whole", "whole/sub"]
    (source / "part/a.log").unlink()
    (source / "nothing/a.log").unlink()
    assert "" in find_files(source).whole_folders


def test_what_was_excluded_by_path_is_left_out(tmp_path: Path) -> None:
    source = tree(tmp_path, **{"runs/1/m.pt": "", "runs/2/m.pt": "", "a.py": ""})
    (source / "runs" / "latest").symlink_to("1")
    found = find_files(source, besides=[source / "runs" / "latest"])
    assert sorted(found.files) == ["a.py", "runs/2/m.pt"]
    assert "runs" not in found.whole_folders
