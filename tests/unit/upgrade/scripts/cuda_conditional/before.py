import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.a = nn.Linear(4, hidden)
        self.b = nn.Linear(hidden, 2)

    def forward(self, x):
        return self.b(self.a(x).relu())


def batches(path, size):
    rows = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return DataLoader(TensorDataset(torch.tensor(rows[:, :4]), torch.tensor(rows[:, 4]).long()), batch_size=size, shuffle=True)


def train(model, loader, epochs):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        for data, target in loader:
            data, target = data.to(device), target.to(device)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(data), target)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}")


def main(hidden=8, epochs=2, batch_size=16):
    loader = batches("data/train.csv", batch_size)
    model = Net(hidden)
    model.to(device)
    train(model, loader, epochs)
    torch.save(model.state_dict(), "model.pth")


if __name__ == "__main__":
    main(epochs=2)
