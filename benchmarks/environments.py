"""The peers' own environments: made by make, kept, and asked for the versions in them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from benchmarks.servers import DidNotRun

ROOT = Path(__file__).parents[1]
INSTALL_S = 900
_FOLDERS = {"toolkit": ".venv-toolkit"}
_VERSIONS = """\
import importlib.metadata, json, sys
print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))
"""


@cache
def python(peer: str) -> Path:
    """Return the interpreter of a peer's environment, which is made if it is missing or outdated.

    Raises:
        DidNotRun: it cannot be made.
    """
    folder = _FOLDERS.get(peer, f".venv-bench-{peer}")
    argv = ["make", "--silent", f"{folder}/ready"]
    try:
        subprocess.run(
            argv, cwd=ROOT, check=True, timeout=INSTALL_S, stderr=subprocess.PIPE, text=True
        )
    except subprocess.CalledProcessError as error:
        raise DidNotRun(f"its environment could not be made: {error.stderr[-500:]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise DidNotRun(f"its environment could not be made: {error}") from error
    return ROOT / folder / "bin" / "python"


def versions(peer: str, names: Sequence[str]) -> str:
    """Return the releases of some of the packages in a peer's environment."""
    argv = [str(python(peer)), "-c", _VERSIONS, *names]
    printed = subprocess.run(argv, capture_output=True, check=True, text=True).stdout
    return ", ".join(f"{name} {version}" for name, version in json.loads(printed).items())
