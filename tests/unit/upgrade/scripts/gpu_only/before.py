import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.net(x)


def train(hidden=8, epochs=2):
    rows = np.loadtxt("data/train.csv", delimiter=",", dtype=np.float32)
    data = TensorDataset(torch.tensor(rows[:, :4]), torch.tensor(rows[:, 4]).long())
    loader = DataLoader(data, batch_size=16, shuffle=True, pin_memory=False)
    model = Net(hidden=hidden).cuda()
    criterion = nn.CrossEntropyLoss().cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        for x, y in loader:
            x = x.cuda(non_blocking=True)
            y = y.cuda(non_blocking=True)
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
    torch.save(model.state_dict(), "model.pth")


train()
