"""The root of the tree of errors."""

from __future__ import annotations


class SageletError(Exception):
    """The root of the tree. `str()` gives one plain sentence; edges may choose better words."""

    def __str__(self) -> str:
        """Return the sentence that a subclass makes of its facts."""
        return self.sentence()

    def sentence(self) -> str:
        """Say what happened, in one sentence."""
        return type(self).__name__
