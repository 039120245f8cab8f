"""What strangers are told when something goes wrong: a status, a sentence, an id, and no more.

A handler's error names files and lines and may hold anything; only the owner sees it. A message
that tells a caller what is wrong with their input (status 4xx) is passed on, without paths.
"""

from __future__ import annotations

import re
from dataclasses import replace

from starlette.exceptions import HTTPException

from sagelet.web.faults import Problem, Refused, problem_of
from sagelet.web.results.failure import failure
from sagelet.web.results.values import cut
from sagelet.web.runs import Run
from sagelet.wire.faults import Fault

CANNOT = "the model could not answer this"
_LONGEST = 500
_WORDS = {
    404: "there is no such model, or it is not served right now",
    503: "too many requests wait: try again in a moment",
}
_OF_THE_BODY = frozenset({408, 413})
# Files of code or of data, paths from the root, and addresses.
_PATHS = re.compile(
    r"(?:\w+://)?(?:[\w.~-]+[\\/])*[\w.-]+\.(?:pyc?|so|pth?|pkl|tar\.gz)\b(?::\d+)?"
    r"|(?<![\w*<])(?:[A-Za-z]:|~)?(?:[\\/][\w.@+~%-]+)+[\\/]?"
    r"|\b\w+://\S+"
)
_FRAME = re.compile(
    r'^\s*(?:File "|\||~|\^|\+ Exception|During handling|The above exception)', re.MULTILINE
)


def said_to_strangers(run: Run) -> str:
    """Return what may be said of a run that failed."""
    if not 400 <= run.status < 500:
        return CANNOT
    message = failure(run.status, run.body).message
    frame = _FRAME.search(message)
    without = _PATHS.sub("…", message[: frame.start()] if frame else message).strip()
    return cut(without, _LONGEST) or CANNOT


def problem_for_strangers(error: BaseException) -> Problem:
    """Return an error as strangers are told of it; what nobody foresaw is logged, too."""
    problem = problem_of(error)
    is_ours = isinstance(error, Refused | HTTPException)
    if is_ours or (isinstance(error, Fault) and problem.status in _OF_THE_BODY):
        return problem
    code = problem.title.replace(" ", "")
    return replace(problem, code=code, detail=_WORDS.get(problem.status, CANNOT))
