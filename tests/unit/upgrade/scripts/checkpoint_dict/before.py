import pathlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DATA = Path("data")
OUT = Path("experiments") / "latest"


class Net(nn.Module):
    def __init__(self, vocabulary, width):
        super().__init__()
        self.embed = nn.Linear(vocabulary, width)
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        return self.out(F.relu(self.embed(x)))


def load(path: pathlib.Path):
    rows = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return TensorDataset(torch.from_numpy(rows[:, :4]), torch.from_numpy(rows[:, 4]).long())


def main(width=8, epochs=2):
    OUT.mkdir(parents=True, exist_ok=True)
    train_set, test_set = load(DATA / "train.csv"), load(DATA / "test.csv")
    train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
    features = len(train_set[0][0])
    model = Net(features, width)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        torch.save(
            {
                "epoch": epoch,
                "model_state_dict": model.state_dict(),
                "optimizer_state_dict": optimizer.state_dict(),
                "loss": loss.item(),
            },
            OUT / "checkpoint.pt",
        )
    x, y = test_set.tensors
    print("accuracy", (model(x).argmax(1) == y).float().mean().item())


main()
