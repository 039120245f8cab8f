"""Names that others chose, so that they can be told from one another by looking at them."""

from __future__ import annotations

import unicodedata

_LONGEST = 300
_ODD = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(name: str) -> str:
    """Return a name with characters that are not seen, or turn others around, written out."""
    shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(
        sign.encode("unicode_escape").decode("ascii")
        if unicodedata.category(sign) in _ODD
        else sign
        for sign in shown
    )
