"""Where this is not AWS: the tables that the control plane and the S3 service work by."""

from __future__ import annotations

from itertools import groupby

from sagelet.buckets import deviations as buckets
from sagelet.control import deviations, refusals
from tools.markdown import code, table


def widened() -> str:
    """Return what only this server accepts."""
    rows = [[code(row.path), code(row.accepts.pattern), row.why] for row in deviations.WIDENED]
    return table(["member", "accepts also", "why"], rows)


def ignored() -> str:
    """Return what is accepted, echoed, and has no effect; a table an operation."""
    return "\n\n".join(
        f"### {operation}\n\n"
        + table(["member", "why it has no effect"], ([code(row.member), row.why] for row in rows))
        for operation, rows in groupby(deviations.IGNORED, key=lambda row: row.operation)
    )


def refused() -> str:
    """Return what AWS serves and this release does not; a table an operation."""
    return "\n\n".join(
        f"### {operation}\n\n" + table(["member", "values", "why"], map(_refusal, rows))
        for operation, rows in groupby(refusals.REFUSED, key=lambda row: row.operation)
    )


def s3_ignored() -> str:
    """Return the members of S3's requests that have no effect."""
    return table(
        ["member", "why it has no effect"],
        ([code(row.member), row.why] for row in buckets.IGNORED),
    )


def s3_refused() -> str:
    """Return the members of S3's requests that are answered with NotImplemented."""
    return table(
        ["member", "why"],
        ([code(row.member), row.why] for row in buckets.REFUSED),
    )


def _refusal(row: refusals.Refused) -> list[str]:
    values = "any" if row.values is None else ", ".join(code(name) for name in sorted(row.values))
    return [code(row.member), values, row.why]
