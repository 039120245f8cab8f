import base64
import hashlib
import random
import zlib

import pytest

from sagelet.artifacts.checksums import (
    ALGORITHMS,
    Digests,
    checksum_of_parts,
    etag_of_parts,
)

CHECKS = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}


@pytest.mark.parametrize("algorithm", CHECKS)
def test_a_crc_gives_its_published_check_value(algorithm: str) -> None:
    hasher = ALGORITHMS[algorithm]()
    hasher.update(b"123456789")
    assert hasher.digest().hex() == CHECKS[algorithm]


def test_crc32c_gives_the_values_of_rfc_3720() -> None:
    for data, value in ((bytes(32), "8a9136aa"), (b"\xff" * 32, "62a8ab43")):
        hasher = ALGORITHMS["crc32c"]()
        hasher.update(data)
        assert hasher.digest().hex() == value


@pytest.mark.parametrize("algorithm", ["crc32c", "crc64nvme"])
@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 300_001])
def test_a_crc_does_not_depend_on_how_the_data_is_cut(algorithm: str, size: int) -> None:
    data = random.Random(size).randbytes(size)
    whole, cut = ALGORITHMS[algorithm](), ALGORITHMS[algorithm]()
    whole.update(data)
    for at in range(0, size, 1000):
        cut.update(data[at : at + 1000])
    assert whole.digest() == cut.digest()


def test_digests_are_written_as_s3_writes_them() -> None:
    digests = Digests(("md5", "crc32", "sha256"))
    digests.update(b"hel")
    digests.update(b"lo")
    assert digests.etag == hashlib.md5(b"hello").hexdigest()
    assert digests.base64("sha256") == base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
    assert digests.raw("crc32") == zlib.crc32(b"hello").to_bytes(4, "big")


def test_an_unknown_algorithm_is_refused_at_once() -> None:
    with pytest.raises(KeyError):
        Digests(("md4",))


def test_parts_have_an_etag_and_a_checksum_of_their_own() -> None:
    parts = [b"one", b"two"]
    md5s = [hashlib.md5(part) for part in parts]
    expected = hashlib.md5(b"".join(md5.digest() for md5 in md5s)).hexdigest()
    assert etag_of_parts([md5.hexdigest() for md5 in md5s]) == f"{expected}-2"
    crcs = [zlib.crc32(part).to_bytes(4, "big") for part in parts]
    total = base64.b64encode(zlib.crc32(b"".join(crcs)).to_bytes(4, "big")).decode()
    values = [base64.b64encode(crc).decode() for crc in crcs]
    assert checksum_of_parts("crc32", values) == f"{total}-2"
