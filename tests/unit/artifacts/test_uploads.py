import hashlib
import zlib
from base64 import b64encode
from pathlib import Path

import pytest

from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.stored import Checksum, ObjectMeta, StoredObject
from sagelet.artifacts.uploads import Part, Upload, Uploads
from sagelet.errors import BucketNotFound, InvalidRequest, UploadNotFound


@pytest.fixture
def buckets(tmp_path: Path) -> Buckets:
    buckets = Buckets(tmp_path)
    buckets.create_bucket("data")
    return buckets


@pytest.fixture
def uploads(buckets: Buckets) -> Uploads:
    return buckets.uploads("data")


def put_part(uploads: Uploads, upload: Upload, number: int, data: bytes) -> Part:
    with uploads.part_writer(upload, number) as writer:
        writer.write(data)
        return writer.commit()


def test_parts_become_one_object_with_the_metadata_of_the_start(
    buckets: Buckets, uploads: Uploads
) -> None:
    upload = uploads.begin("big", ObjectMeta("text/plain", user={"a": "b"}))
    parts = [put_part(uploads, upload, number, bytes([number]) * 1000) for number in (1, 2, 7)]
    assert uploads.parts(upload) == parts
    assert buckets.list("data").objects == ()
    stored = uploads.complete(upload, parts)
    assert buckets.head("data", "big") == stored
    assert stored.meta == ObjectMeta("text/plain", user={"a": "b"})
    assert stored.version.part_sizes == (1000, 1000, 1000)
    md5s = b"".join(hashlib.md5(bytes([number]) * 1000).digest() for number in (1, 2, 7))
    assert stored.etag == f"{hashlib.md5(md5s).hexdigest()}-3"
    assert buckets.path("data", "big").read_bytes() == b"".join(
        bytes([number]) * 1000 for number in (1, 2, 7)
    )


def test_a_completed_upload_is_gone_and_known_by_its_object(
    buckets: Buckets, uploads: Uploads
) -> None:
    upload = uploads.begin("big", ObjectMeta())
    stored = uploads.complete(upload, [put_part(uploads, upload, 1, b"x")])
    assert uploads.unfinished() == []
    assert stored.version.upload_id == upload.id
    with pytest.raises(UploadNotFound):
        uploads.get(upload.id, "big")


def test_a_part_that_is_sent_again_replaces_the_first(buckets: Buckets, uploads: Uploads) -> None:
    upload = uploads.begin("k", ObjectMeta())
    put_part(uploads, upload, 1, b"old")
    part = put_part(uploads, upload, 1, b"new!")
    assert uploads.parts(upload) == [part]
    uploads.complete(upload, [part])
    assert buckets.path("data", "k").read_bytes() == b"new!"
    assert list((buckets.root / ".meta" / "data" / "uploads").iterdir()) == []


def test_an_aborted_upload_leaves_nothing(buckets: Buckets, uploads: Uploads) -> None:
    upload = uploads.begin("k", ObjectMeta())
    part = put_part(uploads, upload, 1, b"x")
    with uploads.part_writer(upload, 2) as writer:
        uploads.abort(upload)
        with pytest.raises(UploadNotFound):
            writer.commit()
    with pytest.raises(UploadNotFound):
        uploads.complete(upload, [part])
    assert list((buckets.root / ".meta" / "data" / "uploads").iterdir()) == []
    assert list((buckets.root / ".meta" / "drafts").iterdir()) == []


@pytest.mark.parametrize("upload_id", ["", "../../x", "0" * 32, "%00"])
def test_an_unknown_upload_is_not_found(uploads: Uploads, upload_id: str) -> None:
    with pytest.raises(UploadNotFound):
        uploads.get(upload_id, "k")


def test_an_upload_belongs_to_its_key(uploads: Uploads) -> None:
    upload = uploads.begin("k", ObjectMeta("a/b"))
    assert uploads.get(upload.id, "k") == upload
    with pytest.raises(UploadNotFound):
        uploads.get(upload.id, "other")


def test_unfinished_uploads_are_listed_by_key(uploads: Uploads) -> None:
    begun = [uploads.begin(key, ObjectMeta()) for key in ("b", "a", "c")]
    assert uploads.unfinished() == sorted(begun, key=lambda upload: upload.key)


def test_no_upload_begins_for_what_is_no_key(uploads: Uploads) -> None:
    with pytest.raises(InvalidRequest):
        uploads.begin("", ObjectMeta())


def test_checksums_of_parts_are_put_together(uploads: Uploads) -> None:
    upload = uploads.begin("k", ObjectMeta(), algorithm="crc32")
    parts = [put_part(uploads, upload, number, b"p%d" % number) for number in (1, 2)]
    crcs = [zlib.crc32(b"p%d" % number).to_bytes(4, "big") for number in (1, 2)]
    assert [part.checksum for part in parts] == [b64encode(crc).decode() for crc in crcs]
    total = b64encode(zlib.crc32(b"".join(crcs)).to_bytes(4, "big")).decode()
    stored = uploads.complete(upload, parts)
    assert stored.version.checksum == Checksum("crc32", f"{total}-2", "COMPOSITE")


def test_a_checksum_of_the_whole_may_be_asked_for_and_refused(
    buckets: Buckets, uploads: Uploads
) -> None:
    def refuse(checksum: Checksum | None) -> None:
        assert checksum == Checksum("sha256", expected, "FULL_OBJECT")
        raise InvalidRequest("no")

    expected = b64encode(hashlib.sha256(b"p1p2").digest()).decode()
    upload = uploads.begin("k", ObjectMeta(), algorithm="sha256", kind="FULL_OBJECT")
    parts = [put_part(uploads, upload, number, b"p%d" % number) for number in (1, 2)]
    with pytest.raises(InvalidRequest):
        uploads.complete(upload, parts, judge=refuse)
    assert buckets.list("data").objects == ()
    stored = uploads.complete(upload, parts)
    assert stored.version.checksum == Checksum("sha256", expected, "FULL_OBJECT")


def test_a_check_sees_what_an_upload_would_replace(buckets: Buckets, uploads: Uploads) -> None:
    seen: list[StoredObject | None] = []
    upload = uploads.begin("k", ObjectMeta())
    part = put_part(uploads, upload, 1, b"x")
    uploads.complete(upload, [part], check=seen.append)
    assert seen == [None]


def test_unfinished_uploads_do_not_keep_a_bucket(buckets: Buckets, uploads: Uploads) -> None:
    upload = uploads.begin("k", ObjectMeta())
    put_part(uploads, upload, 1, b"x")
    buckets.delete_bucket("data")
    with pytest.raises(BucketNotFound):
        uploads.begin("k", ObjectMeta())
    assert not (buckets.root / ".meta" / "data").exists()
