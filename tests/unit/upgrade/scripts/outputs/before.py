import csv
import json

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    def __init__(self, split):
        rows = np.loadtxt("dataset/tables/" + split + ".csv", delimiter=",", dtype=np.float32)
        self.rows = torch.from_numpy(rows)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i, :4], self.rows[i, 4].long()


def classes():
    with open("dataset/classes.txt") as file:
        return file.read().split()


class Net(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.linear(x)


def train(epochs=2, lr=0.1):
    names = classes()
    loader = DataLoader(Rows("train"), batch_size=16, shuffle=True)
    model = Net(4, len(names))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    history = []
    for epoch in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        history.append(loss.item())
    torch.save(model.state_dict(), "model.pth")
    with open("results/history.json", "w") as file:
        json.dump(history, file)
    with open("results/history.csv", "w", newline="") as file:
        csv.writer(file).writerows([x] for x in history)
    print("trained on", names)


train()
