#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""Training, among much that is none of it."""

import asyncio
import contextlib
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Note:
    text: str
    seen: list = field(default_factory=list)


async def nothing(*, times=1, **rest):
    async with contextlib.AsyncExitStack():
        for _ in range(times):
            await asyncio.sleep(0)
    return [x async for x in numbers(times)]


async def numbers(n):
    for i in range(n):
        yield i


def kind(value):
    match value:
        case {"kind": str(name)}:
            return name
        case [first, *_] if (n := len(value)) > 1:
            return f"{first!r} and {n - 1} more"
        case _:
            return None


class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.net(x)


def train(hidden=8, epochs=1, *, batch_size=16, lr=0.1):
    rows = np.loadtxt("data/train.csv", delimiter=",", dtype=np.float32)
    data = TensorDataset(torch.tensor(rows[:, :4]), torch.tensor(rows[:, 4]).long())
    loader = DataLoader(data, batch_size=batch_size, shuffle=True)
    model = Net(hidden)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for epoch in range(epochs):
        for step, (x, y) in enumerate(loader):
            optimizer.zero_grad()
            (loss := nn.functional.cross_entropy(model(x), y)).backward()
            optimizer.step()
            if step >= 100:
                break
    print(kind({"kind": "net"}), kind([1, 2, 3]), *asyncio.run(nothing(times=2)))
    print("progress", end="\n")
    torch.save(model.state_dict(), "model.pth")


train()
