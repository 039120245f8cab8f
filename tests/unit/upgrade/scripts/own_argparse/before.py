import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Classifier(nn.Module):
    def __init__(self, inputs, hidden, classes=2, bias=True):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden, bias=bias), nn.Tanh(), nn.Linear(hidden, classes)
        )

    def forward(self, x):
        return self.layers(x)


def load(folder):
    table = np.loadtxt(folder + "/train.csv", delimiter=",", dtype=np.float32)
    return TensorDataset(torch.tensor(table[:, :4]), torch.tensor(table[:, 4]).long())


def train(args):
    torch.manual_seed(args.seed)
    dataset = load(args.data)
    loader = DataLoader(dataset, batch_size=args.batch_size, shuffle=True)
    model = Classifier(4, args.hidden, bias=args.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        if args.verbose:
            print("epoch", epoch, "loss", loss.item())
    torch.save(model.state_dict(), args.save_path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train a classifier.")
    parser.add_argument("--data", default="data", help="where train.csv is")
    parser.add_argument("--save-path", type=str, default="out/model.pth")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--bias", type=bool, default=True)
    parser.add_argument("--verbose", action="store_true", help="say more")
    args = parser.parse_args()
    train(args)
