import gzip
import hashlib
import os
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from sagelet.artifacts.archives import pack, sha256_of, tree_hash
from sagelet.errors import InvalidRequest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "code").mkdir(parents=True)
    (root / "code" / "inference.py").write_text("def model_fn(model_dir): ...\n")
    (root / "model.pth").write_bytes(bytes(range(256)) * 100)
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    return root


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return tar.getnames()


def test_equal_trees_give_equal_bytes(tree: Path, tmp_path: Path) -> None:
    pack(tree, tmp_path / "one.tar.gz")
    for path in tree.rglob("*"):
        os.utime(path, (1, 1))
    (tree / "model.pth").chmod(0o600)
    pack(tree, tmp_path / "two.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_members_are_sorted_and_carry_no_time_and_no_owner(tree: Path, tmp_path: Path) -> None:
    pack(tree, tmp_path / "out.tar.gz")
    with tarfile.open(tmp_path / "out.tar.gz") as tar:
        members = tar.getmembers()
    assert [m.name for m in members] == ["code", "code/inference.py", "model.pth", "run.sh"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    assert [oct(m.mode) for m in members] == ["0o755", "0o644", "0o644", "0o755"]


def test_gzips_header_holds_no_time(tree: Path, tmp_path: Path) -> None:
    pack(tree, tmp_path / "out.tar.gz")
    assert (tmp_path / "out.tar.gz").read_bytes()[3:8] == bytes(5)


def test_gnu_tar_and_gzip_take_it(tree: Path, tmp_path: Path) -> None:
    (tree / ("ü" * 120)).write_text("long and not ASCII")
    pack(tree, tmp_path / "out.tar.gz")
    subprocess.run(["gzip", "-t", tmp_path / "out.tar.gz"], check=True)
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "-xzf", tmp_path / "out.tar.gz", "-C", tmp_path / "out"], check=True)
    assert (tmp_path / "out" / ("ü" * 120)).read_text() == "long and not ASCII"


def test_weights_and_text_both_come_back(tmp_path: Path) -> None:
    for name, data in (("dense", os.urandom(300_000)), ("text", b"abc def " * 40_000)):
        root = tmp_path / name
        root.mkdir()
        (root / "file").write_bytes(data)
        pack(root, tmp_path / f"{name}.tar.gz")
        with tarfile.open(tmp_path / f"{name}.tar.gz") as tar:
            member = tar.extractfile("file")
            assert member is not None
            assert member.read() == data
    assert (tmp_path / "text.tar.gz").stat().st_size < 10_000


def test_an_empty_folder_is_a_valid_archive(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    pack(tmp_path / "empty", tmp_path / "out.tar.gz")
    assert names(tmp_path / "out.tar.gz") == []
    assert gzip.decompress((tmp_path / "out.tar.gz").read_bytes()) == bytes(1024)


def test_members_may_be_chosen_and_renamed(tree: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text("x")
    chosen = {"code/serve.py": elsewhere, "m.pth": Path("model.pth"), "src": Path("code")}
    pack(tree, tmp_path / "out.tar.gz", members=chosen)
    assert names(tmp_path / "out.tar.gz") == ["code/serve.py", "m.pth", "src", "src/inference.py"]


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", ".", "", "a\0b"])
def test_a_member_cannot_be_named_so(tree: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest):
        pack(tree, tmp_path / "out.tar.gz", members={name: Path("model.pth")})


def test_a_missing_member_is_named(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="nope"):
        pack(tree, tmp_path / "out.tar.gz", members={"a": Path("nope")})
    with pytest.raises(InvalidRequest, match="not a folder"):
        pack(tree / "model.pth", tmp_path / "out.tar.gz")


def test_links_are_followed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "blob").write_text("content")
    (tree / "linked").symlink_to(tmp_path / "blob")
    (tree / "folder").symlink_to(tree / "code")
    pack(tree, tmp_path / "out.tar.gz")
    with tarfile.open(tmp_path / "out.tar.gz") as tar:
        assert tar.getmember("linked").isreg()
        assert tar.getmember("folder/inference.py").isreg()


def test_a_link_to_nothing_and_a_ring_are_refused(tree: Path, tmp_path: Path) -> None:
    (tree / "gone").symlink_to("nowhere")
    with pytest.raises(InvalidRequest, match="nothing"):
        pack(tree, tmp_path / "out.tar.gz")
    (tree / "gone").unlink()
    (tree / "code" / "ring").symlink_to(tree)
    with pytest.raises(InvalidRequest, match="holds it"):
        pack(tree, tmp_path / "out.tar.gz")


def test_what_holds_no_data_is_left_out(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tree / "fifo")
    monkeypatch.chdir(tree)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        pack(tree, tmp_path / "out.tar.gz")
    assert not {"fifo", "socket"} & set(names(tmp_path / "out.tar.gz"))


def test_an_archive_has_its_name_only_when_it_is_whole(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InvalidRequest):
        pack(tree, out / "a.tar.gz", members={"a": Path("model.pth"), "b": Path("nope")})
    (tree / "code" / "ring").symlink_to(tree)
    with pytest.raises(InvalidRequest):
        pack(tree, out / "a.tar.gz")
    assert not out.exists() or list(out.iterdir()) == []


def test_a_tree_hash_follows_names_contents_and_the_executable_bit(tree: Path) -> None:
    hashes = {tree_hash(tree)}
    os.utime(tree / "model.pth", (1, 1))
    assert tree_hash(tree) in hashes
    (tree / "run.sh").chmod(0o644)
    hashes.add(tree_hash(tree))
    (tree / "model.pth").write_bytes(b"other")
    hashes.add(tree_hash(tree))
    (tree / "model.pth").rename(tree / "renamed.pth")
    hashes.add(tree_hash(tree))
    (tree / "empty").mkdir()
    hashes.add(tree_hash(tree))
    assert len(hashes) == 5


def test_a_mapping_is_hashed_as_the_folder_it_describes(tree: Path) -> None:
    members = {"code": tree / "code", "model.pth": tree / "model.pth", "run.sh": tree / "run.sh"}
    assert tree_hash(members) == tree_hash(tree)


def test_a_files_hash_is_its_sha256(tree: Path) -> None:
    data = (tree / "model.pth").read_bytes()
    assert sha256_of(tree / "model.pth") == hashlib.sha256(data).hexdigest()


PACK = r"""
import re, sys
from pathlib import Path
from sagelet.artifacts.archives import pack, unpack
root, out = map(Path, sys.argv[1:])
pack(root, out)
unpack(out, out.with_name("again"))
status = Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) // 1024)
"""


def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with (root / "big").open("wb") as file:
        for _ in range(120):
            file.write(os.urandom(1 << 20))
    run = subprocess.run(
        [sys.executable, "-c", PACK, root, tmp_path / "out.tar.gz"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(run.stdout) < 60
