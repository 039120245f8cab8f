import os

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def table(path):
    rows = torch.tensor(np.loadtxt(path, delimiter=",", dtype="float32"))
    return TensorDataset(rows[:, :4], rows[:, 4].long())


class Net(nn.Module):
    def __init__(self, hidden, p):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(p), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.net(x)


def evaluate(model, loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for x, y in loader:
            total += nn.functional.cross_entropy(model(x), y, reduction="sum").item()
    return total / len(loader.dataset)


def fit(epochs=20, patience=2, hidden=8, p=0.1):
    train_loader = DataLoader(table("data/train.csv"), batch_size=16, shuffle=True)
    val_loader = DataLoader(table("data/test.csv"), batch_size=16)
    model = Net(hidden, p)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    os.makedirs("models", exist_ok=True)
    best, waited = float("inf"), 0
    for epoch in range(epochs):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        val_loss = evaluate(model, val_loader)
        # keep the best
        if val_loss < best:
            best, waited = val_loss, 0
            torch.save(model.state_dict(), "models/best.pth")
        else:
            waited += 1
            if waited >= patience:
                print("stopped early")
                break
    model.load_state_dict(torch.load("models/best.pth"))
    print("best: %.3f" % evaluate(model, val_loader))


fit()
