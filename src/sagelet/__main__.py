"""`python -m sagelet` is `sagelet`."""

from __future__ import annotations

import sys

from sagelet.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
