import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from sagelet.artifacts.archives import DEFAULT_LIMITS, ArchiveLimits, pack, unpack
from sagelet.errors import DiskFull, UnsafeArchive

Change = Callable[[tarfile.TarInfo], None]


class Maker:
    """Makes tars that no honest program would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._raw = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._raw, mode="w", format=tarfile.PAX_FORMAT)

    def file(self, name: str, data: bytes = b"x", **fields: object) -> "Maker":
        info = tarfile.TarInfo(name)
        info.size = len(data)
        for field, value in fields.items():
            setattr(info, field, value)
        self._tar.addfile(info, io.BytesIO(data))
        return self

    def other(self, name: str, kind: bytes, target: str = "") -> "Maker":
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        self._tar.addfile(info)
        return self

    def raw(self) -> bytes:
        self._tar.close()
        return self._raw.getvalue()

    def write(self) -> Path:
        self.path.write_bytes(gzip.compress(self.raw()))
        return self.path


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "model.tar.gz")


def refused(archive: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> str:
    """Unpack what must be refused, see that nothing is left of it, and return the reason."""
    into = archive.parent / "into" / "model"
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(UnsafeArchive) as raised:
        unpack(archive, into, limits=limits)
    shutil.rmtree(into.parent)
    assert sorted(archive.parent.rglob("*")) == before
    assert raised.value.archive == archive.name
    return raised.value.reason


def test_a_good_archive_is_unpacked(maker: Maker, tmp_path: Path) -> None:
    maker.other(".", tarfile.DIRTYPE).other("./code/", tarfile.DIRTYPE)
    maker.file("./code/inference.py", b"def model_fn(d): ...", mtime=1_700_000_000)
    maker.file("run.sh", b"#!/bin/sh", mode=0o6777).file("deep/er/model.pth", bytes(3_000_000))
    unpack(maker.write(), tmp_path / "model")
    assert (tmp_path / "model/code/inference.py").read_bytes() == b"def model_fn(d): ..."
    assert (tmp_path / "model/code/inference.py").stat().st_mtime == 1_700_000_000
    assert (tmp_path / "model/run.sh").stat().st_mode & 0o7022 == 0
    assert os.access(tmp_path / "model/run.sh", os.X_OK)
    assert (tmp_path / "model/deep/er/model.pth").read_bytes() == bytes(3_000_000)


def test_gnu_tars_own_archives_are_read(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / ("d" * 120)).mkdir(parents=True)
    (tree / ("d" * 120) / ("f" * 120)).write_text("long")
    (tree / "ü").write_text("umlaut")
    (tree / "link").symlink_to("ü")
    for style in ("gnu", "pax", "ustar", "v7"):
        archive = tmp_path / f"{style}.tar.gz"
        if style in ("ustar", "v7"):
            shutil.rmtree(tree / ("d" * 120), ignore_errors=True)
        subprocess.run(["tar", f"--format={style}", "-czf", archive, "-C", tree, "."], check=True)
        unpack(archive, tmp_path / style)
        assert (tmp_path / style / "link").read_text() == "umlaut"
    assert (tmp_path / "gnu" / ("d" * 120) / ("f" * 120)).read_text() == "long"
    assert (tmp_path / "pax" / ("d" * 120) / ("f" * 120)).read_text() == "long"


def test_an_archive_in_several_gzip_members_is_one(maker: Maker, tmp_path: Path) -> None:
    raw = maker.file("a", b"1" * 5000).raw()
    maker.path.write_bytes(gzip.compress(raw[:3000]) + gzip.compress(raw[3000:]))
    unpack(maker.path, tmp_path / "model")
    assert (tmp_path / "model/a").read_bytes() == b"1" * 5000


def test_a_later_member_takes_the_place_of_an_earlier_one(maker: Maker, tmp_path: Path) -> None:
    maker.file("a", b"old").file("a", b"new").other("b", tarfile.SYMTYPE, "a").file("b", b"file")
    unpack(maker.write(), tmp_path / "model")
    assert (tmp_path / "model/a").read_bytes() == b"new"
    assert (tmp_path / "model/b").read_bytes() == b"file"


def test_links_that_stay_inside_are_made(maker: Maker, tmp_path: Path) -> None:
    maker.file("weights/model.pth", b"w").other("model.pth", tarfile.SYMTYPE, "weights/model.pth")
    maker.other("weights/up", tarfile.SYMTYPE, "../model.pth")
    maker.other("same.pth", tarfile.LNKTYPE, "weights/model.pth")
    unpack(maker.write(), tmp_path / "model")
    for name in ("model.pth", "weights/up", "same.pth"):
        assert (tmp_path / "model" / name).read_bytes() == b"w"


def test_into_must_not_exist(maker: Maker, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(FileExistsError):
        unpack(maker.file("a").write(), tmp_path / "model")


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "..", "a/..", "//evil", "./../evil"]
)
def test_a_name_that_leads_outside_is_refused(maker: Maker, name: str) -> None:
    assert "unsafe path" in refused(maker.file("good").file(name).write())


@pytest.mark.parametrize("target", ["../evil", "/etc/passwd", "a/../../evil", "..", "//etc/passwd"])
def test_a_symbolic_link_that_leads_outside_is_refused(maker: Maker, target: str) -> None:
    assert "unsafe path" in refused(maker.other("link", tarfile.SYMTYPE, target).write())


def test_links_that_lead_outside_together_are_refused(maker: Maker) -> None:
    maker.other("a/b/c/", tarfile.DIRTYPE).other("deep", tarfile.SYMTYPE, "a/b/c")
    maker.other("d/e/f/", tarfile.DIRTYPE).other("out", tarfile.SYMTYPE, "shallow/../../..")
    maker.other("d/e/f/g", tarfile.DIRTYPE).other("shallow", tarfile.SYMTYPE, "d")
    assert "unsafe path" in refused(maker.write())


def test_a_link_that_seems_inside_by_its_letters_only_is_refused(maker: Maker) -> None:
    maker.other("d/e/f/", tarfile.DIRTYPE).other("d/e/up", tarfile.SYMTYPE, "../../d")
    maker.other("d/e/f/out", tarfile.SYMTYPE, "../up/../../..")
    assert "unsafe path" in refused(maker.write())


@pytest.mark.parametrize("target", ["none", "link", "link/x"])
def test_a_link_to_nothing_is_refused(maker: Maker, target: str) -> None:
    assert "links to nothing" in refused(maker.other("link", tarfile.SYMTYPE, target).write())


def test_nothing_is_written_through_a_link(maker: Maker, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    maker.other("folder/", tarfile.DIRTYPE).other("link", tarfile.SYMTYPE, "folder")
    assert "through a file or a link" in refused(maker.file("link/evil").write())


@pytest.mark.parametrize("target", ["../evil", "/etc/passwd", "later", "link", "hard", "folder"])
def test_a_hard_link_to_anything_but_an_earlier_file_is_refused(maker: Maker, target: str) -> None:
    maker.file("x").other("folder/", tarfile.DIRTYPE).other("link", tarfile.SYMTYPE, "x")
    maker.other("hard", tarfile.LNKTYPE, target).file("later")
    assert "unsafe path" in refused(maker.write())


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_fifos_are_refused(maker: Maker, kind: bytes) -> None:
    reason = refused(maker.file("good").other("bad", kind).write())
    assert reason in ("'bad' is a device", "'bad' is a FIFO")


def test_sparse_and_unknown_members_are_refused(maker: Maker, tmp_path: Path) -> None:
    assert "sparse" in refused(maker.other("holes", tarfile.GNUTYPE_SPARSE).write())
    other = Maker(tmp_path / "other.tar.gz")
    assert "unknown type" in refused(other.other("what", b"Z").write())
    pax = Maker(tmp_path / "pax.tar.gz")
    pax.file("holes", pax_headers={"GNU.sparse.major": "1"})
    assert "sparse" in refused(pax.write())


def test_a_file_and_a_folder_of_one_name_are_refused(maker: Maker, tmp_path: Path) -> None:
    assert "through a file" in refused(maker.file("a").file("a/b").write())
    other = Maker(tmp_path / "other.tar.gz")
    assert "both a folder and a file" in refused(other.file("a/b").file("a").write())


def test_a_pax_name_is_judged_as_any_other(maker: Maker) -> None:
    maker.file("good", pax_headers={"path": "../evil"})
    assert "unsafe path" in refused(maker.write())


def test_a_nul_in_a_pax_name_is_refused(maker: Maker) -> None:
    maker.file("good", pax_headers={"path": "a\0b"})
    assert "unsafe path" in refused(maker.write())


def test_a_global_header_that_renames_is_refused(maker: Maker) -> None:
    raw = tarfile.TarInfo.create_pax_global_header({"path": "evil"}) + maker.file("a").raw()
    maker.path.write_bytes(gzip.compress(raw))
    assert "global header" in refused(maker.path)


def test_a_global_header_with_a_comment_is_passed_over(maker: Maker, tmp_path: Path) -> None:
    raw = tarfile.TarInfo.create_pax_global_header({"comment": "abc"}) + maker.file("a").raw()
    maker.path.write_bytes(gzip.compress(raw))
    unpack(maker.path, tmp_path / "model")
    assert (tmp_path / "model/a").exists()


@pytest.mark.parametrize(
    "record", [b"99 path=x\n", b"x path=x\n", b"9 path=xx", b"8 pathx\n", b"0 a=b\n"]
)
def test_a_damaged_pax_header_is_refused(maker: Maker, record: bytes) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    header = info.tobuf(tarfile.USTAR_FORMAT)
    maker.path.write_bytes(gzip.compress(header + record.ljust(512, b"\0") + maker.file("a").raw()))
    assert "damaged pax header" in refused(maker.path)


def test_a_huge_header_is_not_read_into_memory(maker: Maker) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    maker.path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    assert "a header of" in refused(maker.path)


def test_a_negative_size_is_refused(maker: Maker) -> None:
    header = bytearray(tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    maker.path.write_bytes(gzip.compress(bytes(header) + bytes(1024)))
    assert "negative" in refused(maker.path)


def test_a_flipped_bit_is_noticed_though_the_tar_seems_whole(maker: Maker) -> None:
    raw = maker.file("a", b"data " * 1000).raw()
    flipped = raw.replace(b"data ", b"dat! ", 1)
    deflated = zlib.compressobj(wbits=-15)
    body = deflated.compress(flipped) + deflated.flush()
    good = gzip.compress(raw)
    maker.path.write_bytes(good[:10] + body + good[-8:])
    assert refused(maker.path) == "corrupt archive (CRC)"


def test_a_wrong_crc_far_behind_the_last_member_is_noticed(maker: Maker) -> None:
    raw = maker.file("a").raw() + bytes(5_000_000)
    packed = bytearray(gzip.compress(raw))
    packed[-8] ^= 1
    maker.path.write_bytes(packed)
    assert refused(maker.path) == "corrupt archive (CRC)"


def test_a_byte_changed_in_the_middle_is_noticed(maker: Maker) -> None:
    packed = bytearray(gzip.compress(maker.file("a", os.urandom(100_000)).raw()))
    for at in (1000, 50_000, len(packed) - 3):
        broken = packed.copy()
        broken[at] ^= 0xFF
        maker.path.write_bytes(broken)
        assert refused(maker.path)


@pytest.mark.parametrize("left", [15, 100, 50_000, -1, -8])
def test_a_truncated_archive_is_refused(maker: Maker, left: int) -> None:
    packed = gzip.compress(maker.file("a", os.urandom(100_000)).raw())
    maker.path.write_bytes(packed[:left])
    assert refused(maker.path) == "it is truncated"


def test_a_tar_that_was_cut_before_it_was_gzipped_is_refused(maker: Maker) -> None:
    raw = maker.file("a", bytes(10_000)).raw()
    for left in (600, 5_000):
        maker.path.write_bytes(gzip.compress(raw[:left]))
        assert refused(maker.path) == "it is truncated"


def test_a_damaged_tar_header_is_refused_and_not_taken_for_the_end(maker: Maker) -> None:
    raw = bytearray(maker.file("a").file("b").raw())
    raw[1024] ^= 1
    maker.path.write_bytes(gzip.compress(raw))
    assert refused(maker.path) == "a damaged header"


def test_bytes_after_the_gzip_are_refused(maker: Maker) -> None:
    maker.path.write_bytes(gzip.compress(maker.file("a").raw()) + b"<html>")
    assert "corrupt archive" in refused(maker.path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04rest", "it is a zip file"),
        (b"\n <!DOCTYPE html><html>", "it is an HTML page"),
        (b"<?xml version='1.0'?><Error/>", "it is an XML document"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstandard"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"random", "it is not a gzipped tar"),
        (gzip.compress(b""), "there is nothing in it"),
        (gzip.compress(b"just text, no tar" * 100), "it is gzipped, but not a tar"),
        (gzip.compress(b"short"), "it is truncated"),
    ],
)
def test_what_is_no_archive_is_called_by_its_name(maker: Maker, data: bytes, reason: str) -> None:
    maker.path.write_bytes(data)
    assert reason in refused(maker.path)


def test_a_plain_tar_is_to_be_gzipped(maker: Maker) -> None:
    maker.path.write_bytes(maker.file("a").raw())
    assert refused(maker.path) == "it is a plain tar; gzip it"


def test_a_bomb_is_refused_by_its_ratio_while_it_is_being_unpacked(maker: Maker) -> None:
    maker.file("zeros", bytes(50_000_000))
    reason = refused(maker.write(), ArchiveLimits(ratio_from_bytes=1_000_000))
    assert reason == "unpacked, it exceeds 200 times its own size"


def test_a_bomb_is_refused_by_its_size(maker: Maker) -> None:
    maker.file("data", os.urandom(3 << 20))
    assert "exceeds 0.00195 GiB" in refused(maker.write(), ArchiveLimits(total_bytes=2 << 20))


def test_a_huge_member_is_refused_before_it_is_written(maker: Maker) -> None:
    info = tarfile.TarInfo("huge")
    info.size = 1 << 50
    maker.path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(10_000)))
    assert refused(maker.path) == "unpacked, it exceeds 64 GiB"


def test_a_million_members_are_refused(maker: Maker) -> None:
    for number in range(20):
        maker.file(f"f{number}")
    assert "more than 10 members" in refused(maker.write(), ArchiveLimits(members=10))


def test_folders_that_are_only_implied_count_too(maker: Maker) -> None:
    maker.file("/".join("abcdefghijkl"))
    assert "more than 10 members" in refused(maker.write(), ArchiveLimits(members=10))


def test_ten_thousand_nested_folders_are_refused(maker: Maker) -> None:
    assert "folders deep" in refused(maker.file("d/" * 10_000 + "x").write())


@pytest.mark.parametrize("name", ["n" * 256, "/".join(["n" * 200] * 6)])
def test_a_long_name_is_refused(maker: Maker, name: str) -> None:
    assert "too long a name" in refused(maker.file(name).write())


def test_a_name_that_is_not_utf8_is_kept_as_its_bytes(maker: Maker, tmp_path: Path) -> None:
    raw = bytearray(maker.file("caf_").raw())
    raw[3] = 0xE9
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    maker.path.write_bytes(gzip.compress(raw))
    unpack(maker.path, tmp_path / "model")
    assert [os.fsencode(path.name) for path in (tmp_path / "model").iterdir()] == [b"caf\xe9"]


FILL = """
import sys
from pathlib import Path
from sagelet.artifacts.archives import pack, unpack
from sagelet.artifacts.objects import Buckets
from sagelet.errors import DiskFull
disk, archive = Path(sys.argv[1]), Path(sys.argv[2])

def full(act, *args, **names):
    try:
        act(*args, **names)
    except DiskFull as error:
        assert error.free_bytes < 8 << 20, error
        return
    raise AssertionError("the disk is not full")

full(unpack, archive, disk / "model")
assert list(disk.iterdir()) == [], list(disk.iterdir())
full(pack, archive.parent, disk / "out.tar.gz", members={"big": archive})
assert list(disk.iterdir()) == []
buckets = Buckets(disk)
buckets.create_bucket("data")
full(buckets.put, "data", "big", archive)
assert buckets.list("data").objects == ()
buckets.put("data", "small", archive.with_name("small"))
assert [stored.key for stored in buckets.list("data").objects] == ["small"]

(disk / "data" / "by-hand").write_bytes(b"hand")
with (disk / "filler").open("wb", buffering=0) as filler:
    size = 1 << 20
    while size:
        try:
            filler.write(bytes(size))
        except OSError:
            size //= 2
assert buckets.head("data", "by-hand").size_bytes == 4
with buckets.open("data", "by-hand") as opened:
    assert opened.file.read() == b"hand"
assert buckets.delete("data", "small")
"""


def test_a_full_disk_is_named_and_leaves_nothing_half_written(maker: Maker, tmp_path: Path) -> None:
    maker.file("big", os.urandom(20 << 20)).write()
    (tmp_path / "small").write_text("x")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = 'mount -t tmpfs -o size=8m none "$1" && exec "$2" -c "$4" "$1" "$3"'
    space = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*space, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this kernel gives no mount namespace, so there is no small disk to fill")
    run = subprocess.run(
        [*space, "sh", "-c", mount, "sh", disk, sys.executable, maker.path, FILL],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_the_error_of_a_full_disk_says_how_much_is_free() -> None:
    assert str(DiskFull(path="/x", free_bytes=5 << 20)) == "local disk full at /x (5 MB free)"


def test_what_was_packed_unpacks_to_the_same(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "code").mkdir(parents=True)
    (tree / "empty").mkdir()
    (tree / "code" / "inference.py").write_text("x = 1\n")
    (tree / "model.pth").write_bytes(os.urandom(2_500_000))
    pack(tree, tmp_path / "model.tar.gz")
    unpack(tmp_path / "model.tar.gz", tmp_path / "again")
    found = {
        path.relative_to(tmp_path / "again").as_posix() for path in (tmp_path / "again").rglob("*")
    }
    assert found == {"code", "empty", "code/inference.py", "model.pth"}
    assert (tmp_path / "again/model.pth").read_bytes() == (tree / "model.pth").read_bytes()
