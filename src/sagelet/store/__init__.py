"""What must survive: SQLite, with one writer, behind values of the domain."""

from sagelet.store.changes import Changes
from sagelet.store.listing import ListQuery, Page, SortKey
from sagelet.store.store import Snapshot, Store, Transaction

__all__ = ["Changes", "ListQuery", "Page", "Snapshot", "SortKey", "Store", "Transaction"]
