"""Every case, shared by the recorder and the replay."""

from __future__ import annotations

from tests.oracle import decoding_cases, encoding_cases, error_cases, handler_cases, request_cases
from tests.oracle.case import Case, as_recorded

__all__ = ["CASES", "Case", "as_recorded"]

CASES: tuple[Case, ...] = (
    *handler_cases.CASES,
    *decoding_cases.CASES,
    *encoding_cases.CASES,
    *request_cases.CASES,
    *error_cases.CASES,
)
