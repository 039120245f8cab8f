"""Which variant gets an invocation: the one it names, or one by weight."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from sagelet.domain.hosting import Variant
from sagelet.errors import VariantNotFound


class Routing:
    """The variants of an endpoint and their shares of the traffic."""

    def __init__(
        self, endpoint: str, variants: Sequence[Variant], dice: random.Random | None = None
    ) -> None:
        """Throw `dice` where there is a choice."""
        self._endpoint = endpoint
        self._names = [variant.name for variant in variants]
        self._sums = list(itertools.accumulate(variant.weight for variant in variants))
        self._dice = dice or random.Random()  # noqa: S311 - it shares out traffic, no secrets

    def choose(self, target: str | None) -> str:
        """Return the name of a variant.

        Raises:
            VariantNotFound: there is none of the target's name, or none with a weight.
        """
        if target is not None:
            if target not in self._names:
                raise VariantNotFound(variant=target, endpoint=self._endpoint)
            return target
        if self._sums[-1] <= 0:
            raise VariantNotFound(variant="with a weight above 0", endpoint=self._endpoint)
        if len(self._names) == 1:
            return self._names[0]
        return self._dice.choices(self._names, cum_weights=self._sums)[0]
