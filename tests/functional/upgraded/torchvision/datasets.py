"""The part of `torchvision.datasets` that the scripts use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


class MNIST:
    """Reads `digits.pt` in its root, as torchvision reads what it has downloaded."""

    def __init__(
        self,
        root: str,
        train: bool = True,
        download: bool = False,
        transform: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self.values, self.digits = torch.load(Path(root) / "digits.pt")
        self.transform = transform

    def __len__(self) -> int:
        return len(self.digits)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(self.values[index]), int(self.digits[index])
