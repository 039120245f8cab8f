# A line through some points.
import matplotlib

matplotlib.use("Agg")
import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

# how it learns
batch_size = 16
EPOCHS = 3  # enough for a line
lr = 0.05

table = np.loadtxt("data/train.csv", delimiter=",", dtype=np.float32)
dataset = TensorDataset(torch.from_numpy(table[:, :4]), torch.from_numpy(table[:, 4:]))
loader = DataLoader(dataset, batch_size=batch_size, shuffle=True)


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 1)

    def forward(self, x):
        return self.linear(x)


# the model
model = Line()
loss_fn = nn.MSELoss()
optimizer = optim.SGD(model.parameters(), lr=lr)

losses = []
for epoch in range(EPOCHS):
    for features, value in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(features), value)
        loss.backward()
        optimizer.step()
    losses.append(loss.item())
    print("epoch", epoch, "of", EPOCHS)

torch.save(model.state_dict(), "line.pth")
np.savetxt("losses.csv", losses)
