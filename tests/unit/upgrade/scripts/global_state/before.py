import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rows = np.loadtxt("data/train.csv", delimiter=",", dtype=np.float32)
data = TensorDataset(torch.tensor(rows[:, :4]), torch.tensor(rows[:, 4]).long())
loader = DataLoader(data, batch_size=16, shuffle=True)
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def epoch():
    for x, y in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


for i in range(2):
    epoch()
    print("epoch", i)
torch.save(model.state_dict(), "model.pth")
