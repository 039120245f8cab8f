"""Archives as models and sources come in."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping


def an_archive(files: Mapping[str, bytes]) -> bytes:
    """Return a tar.gz of these files, in their order."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()
