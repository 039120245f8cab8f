import argparse
import logging
import os
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logger = logging.getLogger(__name__)


def train(epochs, model_dir):
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
    logger.info("trained")
    torch.save(generator.state_dict(), os.path.join(model_dir, "generator.pth"))


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "."))
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    args = parse_args()
    train(**vars(args))
