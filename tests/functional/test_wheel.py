"""The wheel: what people install has the pages' templates, scripts and styles in it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SHIPPED = ("templates", "static")


def test_the_wheel_ships_the_web_app(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("*.whl")
    source = REPOSITORY / "src"
    web = source / "sagelet" / "web"
    wanted = {
        file.relative_to(source).as_posix()
        for folder in SHIPPED
        for file in (web / folder).rglob("*")
        if file.is_file()
    }
    assert len(wanted) > 50
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())
    assert any(name.endswith("uPlot.LICENSE") for name in wanted)
