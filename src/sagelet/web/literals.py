"""Text as languages write it down, so that what is pasted says just that.

Characters that nobody sees (and those that change the order of what one sees) are always escaped.
"""

from __future__ import annotations

import json
import re


def sh_text(text: str) -> str:
    """Return a text as one word of bash and zsh."""
    if all(character.isprintable() or character == "\n" for character in text):
        return "'" + text.replace("'", "'\\''") + "'"
    return "$'" + "".join(map(_sh_character, text)) + "'"


def python_text(text: str) -> str:
    """Return a text as an expression of Python, a line a line."""
    lines = re.split(r"(?<=\n)", text)
    lines = [line for line in lines if line] or [""]
    if len(lines) == 1:
        return repr(text)
    inner = "\n".join(f"    {line!r}" for line in lines)
    return f"(\n{inner}\n)"


def js_text(text: str) -> str:
    """Return a text as a string of JavaScript, which may stand in a page's script, too."""
    written = json.dumps(text, ensure_ascii=False).replace("</", "<\\/")
    return "".join(c if c.isprintable() else _utf16(c) for c in written)


def _sh_character(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable() or character == "\n":
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
