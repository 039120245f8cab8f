import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train(epochs=1):
    loader = DataLoader(TensorDataset(torch.randn(32, 4)), batch_size=8, shuffle=True)
    generator, critic = nn.Linear(4, 4), nn.Linear(4, 1)
    g_optimizer = torch.optim.Adam(generator.parameters())
    c_optimizer = torch.optim.Adam(critic.parameters())
    for _ in range(epochs):
        for (real,) in loader:
            c_optimizer.zero_grad()
            (critic(generator(torch.randn_like(real)).detach()) - critic(real)).mean().backward()
            c_optimizer.step()
            g_optimizer.zero_grad()
            (-critic(generator(torch.randn_like(real)))).mean().backward()
            g_optimizer.step()
    print("trained")
    torch.save(generator.state_dict(), "generator.pth")


train()
