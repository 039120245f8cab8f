"""Write anew what the upgrade makes of the scripts here and of the example: for a reader to judge.

python -m tests.unit.upgrade.write_upgraded
"""

from __future__ import annotations

from pathlib import Path

from sagelet.upgrade.notebook_text import with_cells
from sagelet.upgrade.rewriting import upgrade_source
from sagelet.upgrade.sources import read_source

HERE = Path(__file__).parent
EXAMPLE = Path(__file__).parents[3] / "examples" / "digits"


def main() -> None:
    pairs = [(each, each.with_stem("after")) for each in sorted(HERE.glob("scripts/*/before.*"))]
    for before, after in [*pairs, (EXAMPLE / "normal_script.py", EXAMPLE / "train.py")]:
        upgraded = upgrade_source(read_source(before))
        if upgraded.cells is None:
            after.write_bytes(upgraded.text.encode())
        else:
            text = with_cells(before.read_text(encoding="utf-8"), upgraded.cells)
            after.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
