import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.net(x)


def train(hidden=8, epochs=2, batch_size=16):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = np.loadtxt("./data/train.csv", delimiter=",", dtype=np.float32)
    data = TensorDataset(torch.tensor(rows[:, :4]), torch.tensor(rows[:, 4]).long())
    loader = DataLoader(data, batch_size=batch_size, shuffle=True)
    model = Net(hidden)
    if torch.cuda.device_count() > 1:
        print("Let's use", torch.cuda.device_count(), "GPUs!")
        model = nn.DataParallel(model)
    model = model.to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        print(f"loss={loss.item():.3f}")
    weights = model.module.state_dict() if isinstance(model, nn.DataParallel) else model.state_dict()
    torch.save(weights, "model.pth")


train()
