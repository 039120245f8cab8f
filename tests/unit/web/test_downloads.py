"""The names under which browsers keep what they download."""

import pytest

from sagelet.web.downloads import attachment


@pytest.mark.parametrize(
    ("name", "plain", "exact"),
    [
        ("train-1-model.tar.gz", "train-1-model.tar.gz", "train-1-model.tar.gz"),
        ("../../etc/passwd", "passwd", "passwd"),
        ("a\\b\\c.log", "c.log", "c.log"),
        ('x".log\r\na: b', "x_.log__a_ b", "x%22.log%0D%0Aa%3A%20b"),
        ("été.log", "_t_.log", "%C3%A9t%C3%A9.log"),
        (".hidden", "hidden", "hidden"),
        ("", "download", "download"),
    ],
)
def test_a_download_has_a_name_that_leads_nowhere(name: str, plain: str, exact: str) -> None:
    (said,) = attachment(name).values()
    assert said == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"
    assert said.isascii()
