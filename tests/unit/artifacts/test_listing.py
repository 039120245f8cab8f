import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagelet.artifacts.keys import is_key
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.stored import Listing


def filled(root: Path, *keys: str) -> Buckets:
    buckets = Buckets(root)
    buckets.create_bucket("data")
    for key in keys:
        buckets.put("data", key, io.BytesIO(b"x"))
    return buckets


def keys_of(listing: Listing) -> list[str]:
    return [stored.key for stored in listing.objects]


def pages(buckets: Buckets, limit: int, prefix: str = "", delimiter: str = "") -> list[Listing]:
    found = []
    after = ""
    while True:
        page = buckets.list("data", prefix, delimiter, after, limit)
        found.append(page)
        after = page.next_after
        if not after:
            return found


def expected(keys: list[str], prefix: str, delimiter: str) -> tuple[list[str], list[str]]:
    """S3's answer by the book: over all keys, in memory."""
    plain, groups = [], []
    for key in sorted(key for key in keys if key.startswith(prefix)):
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        if found:
            group = prefix + head + delimiter
            groups.extend([group] if group not in groups else [])
        else:
            plain.append(key)
    return plain, groups


def test_keys_come_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    keys = ["a/b", "a.b", "a", "a0", "a/", "A", "é", "😀", "z", "a/b/c", "a//"]
    assert keys_of(filled(tmp_path, *keys).list("data")) == sorted(keys)


def test_a_long_name_is_listed_in_its_place(tmp_path: Path) -> None:
    long = "x" * 240
    keys = [long, long + "/y", long + "!" * 20, long + "0" * 20, long + "/" + "y" * 300, "x", "y"]
    assert keys_of(filled(tmp_path, *keys).list("data")) == sorted(keys)


def test_a_prefix_need_not_be_a_folder(tmp_path: Path) -> None:
    buckets = filled(tmp_path, "train/a", "train/b", "train.csv", "test/a")
    assert keys_of(buckets.list("data", "tr")) == ["train.csv", "train/a", "train/b"]
    assert keys_of(buckets.list("data", "train/b")) == ["train/b"]
    assert keys_of(buckets.list("data", "none/x")) == []


def test_a_delimiter_groups_what_lies_below(tmp_path: Path) -> None:
    buckets = filled(tmp_path, "a/x", "a/y/z", "b", "c/", "d//e")
    top = buckets.list("data", delimiter="/")
    assert (keys_of(top), top.prefixes) == (["b"], ("a/", "c/", "d/"))
    inside = buckets.list("data", "a/", "/")
    assert (keys_of(inside), inside.prefixes) == (["a/x"], ("a/y/",))
    marker = buckets.list("data", "c/", "/")
    assert (keys_of(marker), marker.prefixes) == (["c/"], ())


def test_any_text_may_be_the_delimiter(tmp_path: Path) -> None:
    buckets = filled(tmp_path, "2024-01-a", "2024-01-b", "2024-02-a", "2025", "x/y-z")
    found = buckets.list("data", "2024-", "-")
    assert (keys_of(found), found.prefixes) == ([], ("2024-01-", "2024-02-"))
    assert buckets.list("data", delimiter="-").prefixes == ("2024-", "x/y-")


def test_pages_hold_keys_and_prefixes_together(tmp_path: Path) -> None:
    buckets = filled(tmp_path, "a/1", "a/2", "b", "c/1", "d")
    first, second = pages(buckets, 2, delimiter="/")
    assert (first.prefixes, keys_of(first)) == (("a/",), ["b"])
    assert (second.prefixes, keys_of(second)) == (("c/",), ["d"])
    assert second.next_after == ""


def test_the_last_page_says_so(tmp_path: Path) -> None:
    buckets = filled(tmp_path, "a", "b")
    assert buckets.list("data", limit=2).next_after == ""
    assert buckets.list("data", limit=1).next_after == "a"


def test_no_keys_may_be_asked_for(tmp_path: Path) -> None:
    assert filled(tmp_path, "a").list("data", limit=0) == Listing((), ())


def test_a_listing_may_start_after_a_key(tmp_path: Path) -> None:
    buckets = filled(tmp_path, "a", "b/c", "b/d", "e")
    assert keys_of(buckets.list("data", after="b/c")) == ["b/d", "e"]
    assert buckets.list("data", after="b/c", delimiter="/").prefixes == ("b/",)
    assert buckets.list("data", after="b/d", delimiter="/").prefixes == ()
    assert buckets.list("data", after="b/", delimiter="/").prefixes == ()


@pytest.mark.parametrize("delimiter", ["", "/", "a", "//"])
@given(
    keys=st.lists(
        st.text(st.sampled_from("a/.%~é"), min_size=1, max_size=6).filter(is_key),
        unique=True,
        max_size=12,
    ),
    prefix=st.text(st.sampled_from("a/.é"), max_size=3),
    limit=st.integers(1, 4),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_pages_together_are_what_s3_answers(
    tmp_path_factory: pytest.TempPathFactory,
    delimiter: str,
    keys: list[str],
    prefix: str,
    limit: int,
) -> None:
    buckets = filled(tmp_path_factory.mktemp("root"), *keys)
    found = pages(buckets, limit, prefix, delimiter)
    plain = [key for page in found for key in keys_of(page)]
    groups = [group for page in found for group in page.prefixes]
    assert (plain, groups) == expected(keys, prefix, delimiter)
    assert all(len(page.objects) + len(page.prefixes) <= limit for page in found)
