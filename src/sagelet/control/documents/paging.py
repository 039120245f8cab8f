"""List requests, their filters and orders, and pages of summaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sagelet.control.context import Document
from sagelet.store.listing import ListQuery, Page, SortKey

V = TypeVar("V")

_DEFAULT_RESULTS = 10
_SORT_KEYS = {
    "Name": SortKey.NAME,
    "CreationTime": SortKey.CREATED,
    "Status": SortKey.STATUS,
}


def read_query(document: Document, *, order: str = "Descending") -> ListQuery:
    """Read a List request; `order` is what AWS sorts by where the request does not say."""
    return ListQuery(
        name_contains=document.get("NameContains", ""),
        status=document.get("StatusEquals"),
        created_after=document.get("CreationTimeAfter"),
        created_before=document.get("CreationTimeBefore"),
        modified_after=document.get("LastModifiedTimeAfter"),
        modified_before=document.get("LastModifiedTimeBefore"),
        sort_by=_SORT_KEYS[document.get("SortBy", "CreationTime")],
        descending=document.get("SortOrder", order) == "Descending",
        limit=document.get("MaxResults", _DEFAULT_RESULTS),
        token=document.get("NextToken"),
    )


def show_page(member: str, page: Page[V], summary_of: Callable[[V], Document]) -> Document:
    """Return a page of summaries, with a token only where more follows."""
    shown: Document = {member: [summary_of(value) for value in page.values]}
    if page.token is not None:
        shown["NextToken"] = page.token
    return shown
