"""A module beside a script: the rows of a file, four numbers and a class each."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


class Rows:
    def __init__(self, path: str) -> None:
        self.rows = torch.from_numpy(np.loadtxt(path, delimiter=",", dtype=np.float32))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.rows[index, :4], self.rows[index, 4].long()
