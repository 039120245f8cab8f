# Handwritten digits, as one would train on them at home.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, hidden=64, dropout=0.1):
        super().__init__()
        self.fc1 = nn.Linear(64, hidden)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(self.dropout(x)), dim=1)


def load(path):
    # 64 grey values from 0 to 16, and the digit
    table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return TensorDataset(torch.from_numpy(table[:, :64] / 16), torch.from_numpy(table[:, 64]).long())


def test(model, loader):
    model.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for data, target in loader:
            output = model(data)
            loss += F.nll_loss(output, target, reduction="sum").item()
            correct += (output.argmax(dim=1) == target).sum().item()
    print(f"test loss: {loss / len(loader.dataset):.4f}, accuracy: {correct / len(loader.dataset):.4f}")


def train(batch_size=64, test_batch_size=1000, epochs=10, lr=0.1, momentum=0.9, hidden=64, seed=1):
    torch.manual_seed(seed)
    train_set = load("data/train.csv")
    test_set = load("data/test.csv")
    train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=test_batch_size)

    model = Net(hidden=hidden)
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=momentum)

    for epoch in range(1, epochs + 1):
        model.train()
        for batch, (data, target) in enumerate(train_loader, start=1):
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
            if batch % 10 == 0:
                print(f"epoch {epoch}, batch {batch}/{len(train_loader)}, loss: {loss.item():.4f}")
        test(model, test_loader)

    torch.save(model.state_dict(), "model.pth")


train()
