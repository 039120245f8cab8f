"""What a model says of itself is shown as text, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sagelet.web.forms.about import about_model, rendered
from tests.form_models import a_folder
from tests.hostile_texts import HOSTILE


def test_the_first_heading_is_the_title_and_others_move_down() -> None:
    title, html = rendered("# Kinds *of* text\n\nWords.\n\n## How\n\n###### Deep\n")
    assert title == "Kinds of text"
    assert html == "<p>Words.</p>\n<h4>How</h4>\n<h6>Deep</h6>\n"


def test_tables_lists_and_code_are_kept() -> None:
    html = rendered("| a | b |\n|---|---|\n| 1 | 2 |\n\n3. x\n\n```py\n<b>\n```\n")[1]
    assert "<td>1</td>" in html
    assert '<ol start="3">' in html
    assert "<pre><code>&lt;b&gt;\n</code></pre>" in html


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://example.org/a", True),
        ("mailto:me@example.org", True),
        ("/logout", False),
        ("../keys", False),
        ("//example.org", False),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
        ("&#106;avascript:alert(1)", False),
    ],
)
def test_a_link_leads_elsewhere_or_nowhere(link: str, kept: bool) -> None:
    html = rendered(f"[words]({link})")[1]
    assert ("href=" in html) is kept
    assert "words" in html
    if kept:
        assert 'rel="noopener noreferrer nofollow"' in html


def test_no_picture_is_loaded_from_anywhere() -> None:
    html = rendered("![a cat](https://example.org/cat.png) ![](cat.png)\n")[1]
    assert "<img" not in html
    assert "a cat" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_html_in_the_words_is_text(text: str) -> None:
    title, html = rendered(f"# {text}\n\n{text}\n\n[{text}]({text})\n\n`{text}`\n")
    assert "<script" not in html.lower()
    assert "<img" not in html.lower()
    assert " on" not in html.lower().replace("&", " ").split("<p>")[0]
    assert len(title) <= 120


def test_much_text_is_cut() -> None:
    assert len(rendered("word " * 100_000)[1]) < 50_000
    assert len(rendered("> " * 50_000)[1]) < 200_000


def test_settings_go_before_the_readme(tmp_path: Path) -> None:
    ui = {"ui": {"title": "Mine", "description": "*My* words"}}
    readme = "---\nlicense: mit\n---\n# Theirs\n\nTheir words"
    both = about_model(
        a_folder(tmp_path / "1", {"code/sagelet-ui.json": json.dumps(ui), "README.md": readme})
    )
    assert (both.title, both.description_html) == ("Mine", "<p><em>My</em> words</p>\n")
    one = about_model(a_folder(tmp_path / "2", {"code/README.md": readme}))
    assert (one.title, one.description_html) == ("Theirs", "<p>Their words</p>\n")
    none = about_model(a_folder(tmp_path / "3", {}))
    assert (none.title, none.description_html) == ("", "")
