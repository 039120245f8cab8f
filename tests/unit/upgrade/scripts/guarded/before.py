import torch
import torch.nn as nn
from torch.utils.data import DataLoader

from rows import Rows

EPOCHS = 2
BATCH_SIZE = 16


class MLP(nn.Module):
    def __init__(self, n_in: int, n_hidden: int, n_out: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_in, n_hidden)
        self.out = nn.Linear(n_hidden, n_out)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


def train_epoch(model, loader, criterion, optimizer):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    hits = 0
    for x, y in loader:
        hits += (model(x).argmax(dim=-1) == y).sum().item()
    return hits / len(loader.dataset)


def get_loaders():
    train_loader = DataLoader(Rows("data/train.csv"), batch_size=BATCH_SIZE, shuffle=True, drop_last=True)
    test_loader = DataLoader(Rows("data/test.csv"), batch_size=BATCH_SIZE)
    return train_loader, test_loader


def save(model):
    torch.save(model.state_dict(), "checkpoints/model.pth")
    print("saved")


def main(hidden=8):
    train_loader, test_loader = get_loaders()
    model = MLP(4, hidden, 2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    for epoch in range(EPOCHS):
        loss = train_epoch(model, train_loader, criterion, optimizer)
        print(f"{epoch}: {loss:.4f}", evaluate(model, test_loader))
    save(model)


if __name__ == '__main__':
    main()
