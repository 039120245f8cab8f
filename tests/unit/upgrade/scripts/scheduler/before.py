import numpy as np
import torch
import torch.nn as nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, Dataset, random_split


class Table(Dataset):
    def __init__(self, path="data/train.csv"):
        rows = np.loadtxt(path, delimiter=",", dtype=np.float32)
        self.x = torch.from_numpy(rows[:, :4])
        self.y = torch.from_numpy(rows[:, 4]).long()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


class Net(nn.Module):
    def __init__(self, features, width=8, depth=2):
        super().__init__()
        sizes = [features] + [width] * depth
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [nn.Linear(a, b), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        return self.head(self.body(x))


def run(epochs=3, width=8, depth=2, lr=3e-3):
    data = Table()
    train_data, val_data = random_split(data, [72, 24], generator=torch.Generator().manual_seed(1))
    train_loader = DataLoader(train_data, batch_size=12, shuffle=True)
    val_loader = DataLoader(val_data, batch_size=24)
    model = Net(data.x.shape[1], width=width, depth=depth)
    optimizer = AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    scheduler = ReduceLROnPlateau(optimizer, patience=1)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        for x, y in train_loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            val_loss = sum(criterion(model(x), y).item() for x, y in val_loader)
        scheduler.step(val_loss)
        print(epoch, val_loss, sep=": ")
    torch.save(model.state_dict(), "net.pth")


run(epochs=2)
