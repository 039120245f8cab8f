"""The shares of an endpoint's variants: which weight and how many instances each has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sagelet.domain.hosting import Serving, Share, Variant
from sagelet.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Retention:
    """What variants keep under a new configuration, where it has one of the same name."""

    weights: bool
    counts: bool


def shared(serving: Serving, shares: Sequence[Share]) -> Serving:
    """Return what serves, with new shares.

    Raises:
        InvalidRequest: a share is of no variant, or of one that has one already, or leaves it
            without an instance.
    """
    names = [share.variant for share in shares]
    of = {variant.name: variant for variant in serving.config.variants}
    strange = ", ".join(dict.fromkeys(name for name in names if name not in of))
    if strange:
        raise InvalidRequest(
            message=f'The variant name(s) "{strange}" is/are not present within endpoint '
            f'configuration "{serving.config.name}".'
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequest(message=f"Production variant {twice!r} is named twice.")
    for share in shares:
        of[share.variant] = _with_share(of[share.variant], share)
    return serving.with_variants(of.values())


def retained(wanted: Serving, serving: Serving, retention: Retention) -> Serving:
    """Return what an update asks for as the next deployment, with what is kept of this one."""
    kept = {variant.name: variant for variant in serving.config.variants}
    variants = (
        _retained(variant, kept.get(variant.name, variant), retention)
        for variant in wanted.config.variants
    )
    return replace(wanted.with_variants(variants), deployment=serving.deployment + 1)


def _with_share(variant: Variant, share: Share) -> Variant:
    if share.instance_count == 0:
        raise InvalidRequest(
            message=f"DesiredInstanceCount of production variant {variant.name} has to be 1 or "
            "more: only asynchronous endpoints scale to 0."
        )
    return replace(
        variant,
        weight=variant.weight if share.weight is None else share.weight,
        instance_count=share.instance_count or variant.instance_count,
    )


def _retained(variant: Variant, kept: Variant, retention: Retention) -> Variant:
    return replace(
        variant,
        weight=kept.weight if retention.weights else variant.weight,
        instance_count=kept.instance_count if retention.counts else variant.instance_count,
    )
