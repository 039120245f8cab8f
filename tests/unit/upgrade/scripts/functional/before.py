import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def read(name):
    table = np.loadtxt(f"data/{name}.csv", delimiter=",", dtype=np.float32)
    return TensorDataset(torch.tensor(table[:, :4]), torch.tensor(table[:, 4]).long())


def train(epochs=2, batch_size=16, hidden=8, learning_rate=0.05):
    loader = DataLoader(read("train"), batch_size, True)
    model = nn.Sequential(
        nn.Linear(4, hidden),  # four numbers a row
        nn.ReLU(),
        nn.Linear(hidden, 2),
    )
    optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate)
    criterion = nn.CrossEntropyLoss()
    for _ in range(epochs):
        total = 0
        for x, y in loader:
            optimiser.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimiser.step()
            total += loss.item()
        print("loss", total / len(loader))
    torch.save(model.state_dict(), "model.pt")


train()
