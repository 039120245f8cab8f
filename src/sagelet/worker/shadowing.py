"""Which modules a folder of the user's would have given, had they not been imported already.

`python train.py` looks for `import queue` beside train.py first. A process that has imported the
standard library's `queue` before the script starts has to make up for that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection

# What any Python has imported before it looks at a script, so that no script can shadow it.
STARTUP = frozenset(
    (
        "_abc",
        "_codecs",
        "_collections_abc",
        "_frozen_importlib",
        "_frozen_importlib_external",
        "_imp",
        "_io",
        "_signal",
        "_sitebuiltins",
        "_stat",
        "_thread",
        "_warnings",
        "_weakref",
        "abc",
        "builtins",
        "codecs",
        "encodings",
        "errno",
        "genericpath",
        "io",
        "marshal",
        "os",
        "posix",
        "posixpath",
        "site",
        "stat",
        "sys",
        "time",
        "winreg",
        "zipimport",
        "__main__",
    )
)
_SUFFIXES = (".py", ".so", ".pyd")


def imported() -> set[str]:
    """Return the top-level modules that are imported here and that a folder could have hidden."""
    top_level = {name.partition(".")[0] for name in sys.modules}
    return top_level - STARTUP - set(sys.builtin_module_names) - {"sagelet"}


def shadowed(folder: str, modules: Collection[str]) -> list[str]:
    """Return those of some top-level modules that a folder has modules of the same name for."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return []
    found = {_module_name(entry) for entry in entries}
    return sorted((found & set(modules)) - STARTUP)


def unload(folder: str) -> None:
    """Forget the modules that a folder shadows, so that importing them finds the folder's."""
    for name in shadowed(folder, imported()):
        for loaded in [key for key in sys.modules if key.partition(".")[0] == name]:
            del sys.modules[loaded]


def _module_name(entry: os.DirEntry[str]) -> str:
    if entry.name.endswith(_SUFFIXES):
        return entry.name.partition(".")[0]
    # A folder without __init__.py never hides a module that is elsewhere on the path.
    if os.path.isfile(os.path.join(entry.path, "__init__.py")):  # noqa: PTH113, PTH118 - plain strings throughout
        return entry.name
    return ""
