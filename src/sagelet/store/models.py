"""The table of models."""

from __future__ import annotations

from sagelet.domain.hosting import Model
from sagelet.errors import ModelNotFound
from sagelet.store.listing import microseconds
from sagelet.store.resources import Family

MODELS = Family(
    table="models",
    value=Model,
    not_found=ModelNotFound,
    arn_kind="model",
    columns={"created_us": lambda model: microseconds(model.created_at)},
)
