from __future__ import annotations

from typing import Optional

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    """A small network."""

    def __init__(self, widths: list[int], dropout: float = 0.0, *, norm: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 4
        for width in widths:
            layers.append(nn.Linear(before, width))
            if norm:
                layers.append(nn.LayerNorm(width))
            layers.append(nn.ReLU())
            before = width
        self.body = nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(before, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores."""
        return self.body(x)


def train(
    epochs: int = 2,
    batch_size: int = 16,
    lr: float = 1,
    widths: list[int] = [8, 8],  # of the hidden layers
    dropout: Optional[float] = None,
    norm: bool = True,
    name: str = "typed",
) -> None:
    """Train and save."""
    rows: np.ndarray = np.loadtxt("data/train.csv", delimiter=",", dtype=np.float32)
    dataset: TensorDataset = TensorDataset(
        torch.from_numpy(rows[:, :4]), torch.from_numpy(rows[:, 4]).long()
    )
    loader: DataLoader = DataLoader(dataset, batch_size=batch_size, shuffle=True)
    model: Net = Net(widths, dropout or 0.0, norm=norm)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr / 100)
    for epoch in range(epochs):
        x: Tensor
        y: Tensor
        for x, y in loader:
            optimizer.zero_grad()
            loss: Tensor = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
    print(f"{name!r}: {epochs} epochs, {100}% done")
    torch.save(model.state_dict(), "typed.pth")


train()
