"""A serving worker's process where it is to serve: variables, module path, threads, folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from sagelet.worker import fresh, placing
from sagelet.worker.spec import ServeOrder


def settle(placed: ServeOrder, why_not: str, set_by_imports: Mapping[str, str]) -> None:
    """Make this process that of an order which `placing.place` has placed.

    `why_not` says why it has no /opt/ml; `set_by_imports` are variables that modules which are
    already imported set when they were.
    """
    fresh.variables(placed.environment, set_by_imports)
    fresh.file_modes()
    if why_not:
        sys.stderr.write(placing.ELSEWHERE.format(why_not) + "\n")
    fresh.module_path(placed.environment)
    fresh.packages(placed.site_dirs)
    fresh.identity()
    fresh.threads(placed.environment, placed.threads)
    os.chdir(placed.cwd)
    sys.argv = [placed.program]
