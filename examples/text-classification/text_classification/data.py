"""The labelled texts: where they come from and how they are split.

By default they are 23,703 sentences that C.J. Hutto and Eric Gilbert collected for VADER (ICWSM
2014, MIT licence); a sentence's class is the kind of text that it was taken from. They come with
the source distribution of vaderSentiment 2.5, which `python -m text_classification.data` downloads.
Any CSV with the columns `text` and `label` will do instead.
"""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from text_classification.preprocess import preprocess

DATA_DIR = Path(__file__).resolve().parents[1] / "data"
ARCHIVE = "vaderSentiment-2.5.tar.gz"
SHA256 = "b960c954831f5ca58afee61780cc04ed48e551b91e783bfcbfb2c18bb8081a84"
LABELS = {
    "amazonReviewSnippets_GroundTruth.txt": "Amazon reviews",
    "movieReviewSnippets_GroundTruth.txt": "Movie reviews",
    "nytEditorialSnippets_GroundTruth.txt": "New York Times editorials",
    "tweets_GroundTruth.txt": "Tweets",
}
_INNER_ARCHIVE = "vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz"
_TIMEOUT_S = 60


class DataError(ValueError):
    """The data cannot be had, or is not what it should be."""


class Row(NamedTuple):
    """One text and its class."""

    text: str
    label: str


class Split(NamedTuple):
    """Rows to learn from, rows to choose the best epoch by, and rows to report on, once."""

    train: list[Row]
    validation: list[Row]
    test: list[Row]


def load(data_dir: Path = DATA_DIR, url: str | None = None) -> list[Row]:
    """Return the rows of the CSV at `url`, or else of the default data, downloaded if need be."""
    if url is not None:
        return list(_csv_rows(url))
    archive = data_dir / ARCHIVE
    if not archive.exists():
        download(archive)
    return list(_archive_rows(archive))


def split(rows: Iterable[Row]) -> Split:
    """Split the rows 80:10:10, class by class.

    The order is that of the texts' hashes, so it depends on nothing but the texts. Of texts that
    read the same to the model one is kept: a test row must not also be a training row.
    """
    by_label: defaultdict[str, dict[bytes, Row]] = defaultdict(dict)
    for row in rows:
        digest = hashlib.sha256(preprocess(row.text).encode()).digest()
        by_label[row.label].setdefault(digest, row)
    if len(by_label) < 2:
        raise DataError(f"a classifier needs two classes or more, found {sorted(by_label)}")
    parts = Split([], [], [])
    for label, rows_by_digest in sorted(by_label.items()):
        ordered = [row for _, row in sorted(rows_by_digest.items())]
        if len(ordered) < 3:
            raise DataError(f"the class {label!r} needs three different texts, has {len(ordered)}")
        tenth = max(1, len(ordered) // 10)
        parts.test.extend(ordered[:tenth])
        parts.validation.extend(ordered[tenth : 2 * tenth])
        parts.train.extend(ordered[2 * tenth :])
    return parts


def download(archive: Path) -> None:
    """Fetch the default data with pip, from the index that pip is configured for."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".download-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", folder]
        command += ["--no-deps", "--no-binary", "vaderSentiment", "vaderSentiment==2.5"]
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            raise DataError(
                f"`{' '.join(command)}` failed; you may also put {archive} there yourself"
            )
        downloaded = Path(folder, ARCHIVE)
        _check(downloaded)
        downloaded.replace(archive)


def _check(archive: Path) -> None:
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise DataError(f"{archive} is not the file we know: its sha256 is {found}, not {SHA256}")


def _archive_rows(archive: Path) -> Iterator[Row]:
    _check(archive)
    with (
        tarfile.open(archive) as outer,
        tarfile.open(fileobj=outer.extractfile(_INNER_ARCHIVE)) as inner,
    ):
        for name, label in LABELS.items():
            member = inner.extractfile(f"hutto_ICWSM_2014/{name}")
            assert member is not None, "the archive's hash was right"
            for line in member.read().decode(errors="replace").split("\n"):
                if line.strip():
                    _number, _rating, text = line.split("\t", 2)
                    yield Row(text.strip(), label)


def _csv_rows(url: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(_read(url), newline=""))
    missing = {"text", "label"}.difference(reader.fieldnames or ())
    if missing:
        raise DataError(f"{url} has no column {' or '.join(sorted(missing))}: {reader.fieldnames}")
    for row in reader:
        if row["text"] and row["label"]:
            yield Row(row["text"], row["label"])


def _read(url: str) -> str:
    if url.startswith(("http://", "https://")):
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310  http(s) only
            content: bytes = answer.read()
    else:
        content = Path(url).read_bytes()
    return content.decode("utf-8-sig", errors="replace")


if __name__ == "__main__":
    print(f"{len(load())} texts in {DATA_DIR.name}/{ARCHIVE}")
