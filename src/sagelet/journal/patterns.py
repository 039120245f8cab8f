"""Filter patterns of CloudWatch Logs, the unstructured ones.

    ERROR "exit code"       both must be there
    ?ERROR ?WARN            one of them must be
    ERROR -healthcheck      the first must be there, the second must not

Matching minds the case. As at AWS, a term with `?` counts only among its like: beside a term that
must be there it is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sagelet.errors import InvalidRequest, NotSupported

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>(?![?-])[^\s"]+))')


def read_pattern(text: str) -> Callable[[str], bool]:
    """Return a pattern's test of a message; an empty pattern matches everything.

    Raises:
        InvalidRequest: it is no pattern.
        NotSupported: it is one for JSON or for fields, or a regular expression.
    """
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    rest = text.strip()
    if rest.startswith(("{", "[")):
        raise NotSupported(
            message="Filter patterns for JSON and for fields are not served: use plain terms."
        )
    while rest:
        match = _TERM.match(rest)
        if match is None:
            raise InvalidRequest(message=f"Invalid filter pattern: {text}")
        terms[match["sign"]].append(_term_of(match))
        rest = rest[match.end() :].lstrip()
    must, may, must_not = terms[""], terms["?"], terms["-"]

    def matches(message: str) -> bool:
        if any(term in message for term in must_not):
            return False
        if must or not may:
            return all(term in message for term in must)
        return any(term in message for term in may)

    return matches


def _term_of(match: re.Match[str]) -> str:
    if match["quoted"] is not None:
        return re.sub(r"\\(.)", r"\1", match["quoted"])
    if match["bare"].startswith("%"):
        raise NotSupported(message="Filter patterns with regular expressions are not served.")
    return match["bare"]
