from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.domain.media import media_type_of, suffix_of


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("wimbledon.json", "application/json"),
        ("rows.CSV", "text/csv"),
        ("tensor.npy", "application/x-npy"),
        ("cat.jpeg", "image/jpeg"),
        ("model.bin", "application/octet-stream"),
        ("payload", "application/octet-stream"),
    ],
)
def test_a_files_suffix_says_what_it_holds(name: str, media_type: str) -> None:
    assert media_type_of(Path(name)) == media_type


@pytest.mark.parametrize(
    ("media_type", "suffix"),
    [
        ("application/json", ".json"),
        ("Text/CSV; charset=utf-8", ".csv"),
        ("image/jpeg", ".jpg"),
        ("application/x-own", ".bin"),
        (None, ".bin"),
    ],
)
def test_an_answer_is_kept_under_the_suffix_of_its_type(
    media_type: str | None, suffix: str
) -> None:
    assert suffix_of(media_type) == suffix
