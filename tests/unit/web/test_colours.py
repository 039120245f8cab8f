"""The two themes' colours, read from the style sheet: text can be read, edges can be seen."""

from __future__ import annotations

import re
from itertools import product

import pytest

from sagelet.web.rendering import STATIC

CSS = (STATIC / "app.css").read_text()
READ = 4.5
SEEN = 3.0
GROUNDS = ("--bg", "--surface", "--surface-2")
TONES = ("--ok", "--warn", "--bad", "--info", "--muted")
SERIES = tuple(f"--c{n}" for n in range(1, 9))

Rgb = tuple[float, float, float]


def properties(selector: str) -> dict[str, str]:
    block = re.search(re.escape(selector) + r" \{([^{}]*)\}", CSS)
    assert block is not None, selector
    return dict(re.findall(r"(--[\w-]+): ([^;]+);", block[1]))


LIGHT = properties(":root")
DARK = LIGHT | properties(':root[data-theme="dark"]')
THEMES = {"light": LIGHT, "dark": DARK}


def rgb(text: str) -> Rgb:
    r, g, b = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return r, g, b


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    r, g, b = (a * share + b * (1 - share) for a, b in zip(one, other, strict=True))
    return r, g, b


def luminance(colour: Rgb) -> float:
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: Rgb, other: Rgb) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_on_every_ground(theme: str) -> None:
    known = THEMES[theme]
    for ink, ground in product(("--text", "--accent", *TONES, *SERIES), GROUNDS):
        seen = contrast(rgb(known[ink]), rgb(known[ground]))
        assert seen >= READ, f"{ink} on {ground}: {seen:.2f}"


@pytest.mark.parametrize("theme", THEMES)
def test_a_status_can_be_read_on_its_own_tint(theme: str) -> None:
    known = THEMES[theme]
    for tone in TONES:
        tint = mixed(rgb(known[tone]), rgb(known["--surface"]), 0.10)
        assert contrast(rgb(known[tone]), tint) >= READ, tone


@pytest.mark.parametrize("theme", THEMES)
def test_what_stands_on_the_accent_can_be_read(theme: str) -> None:
    known = THEMES[theme]
    accent, text = rgb(known["--accent"]), rgb(known["--accent-text"])
    assert contrast(text, accent) >= READ
    assert contrast(text, mixed(accent, rgb(known["--text"]), 0.88)) >= READ
    assert contrast(rgb(known["--bg"]), rgb(known["--warn"])) >= READ


@pytest.mark.parametrize("theme", THEMES)
def test_the_edges_of_controls_can_be_seen(theme: str) -> None:
    known = THEMES[theme]
    for ground in ("--bg", "--surface"):
        assert contrast(rgb(known["--edge"]), rgb(known[ground])) >= SEEN, ground


def test_a_dark_machine_and_the_dark_theme_look_the_same() -> None:
    assert properties(':root:not([data-theme="light"])') == properties(':root[data-theme="dark"]')


def test_the_dark_theme_has_every_colour() -> None:
    colours = {name for name, value in LIGHT.items() if value.startswith("#")}
    assert colours == set(properties(':root[data-theme="dark"]')) - {"--shadow"}


def test_the_style_sheet_is_small() -> None:
    assert len(CSS) < 20_000
