import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# no file is read here
features = torch.linspace(-1, 1, 64).reshape(16, 4)


def train(epochs=1):
    loader = DataLoader(TensorDataset(features, features.sum(1, keepdim=True)), batch_size=4)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            ((model(x) - y) ** 2).mean().backward()
            optimizer.step()
    torch.save(model.state_dict(), "model.pth")


if __name__ == "__main__": train()
