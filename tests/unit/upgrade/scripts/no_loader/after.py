import argparse
import logging
import os
import sys

import numpy as np
import torch
from torch import nn

logger = logging.getLogger(__name__)


class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.net(x)


def train(hidden, steps, data_dir, model_dir):
    rows = torch.from_numpy(
        np.loadtxt(os.path.join(data_dir, "train.csv"), delimiter=",", dtype=np.float32)
    )
    hyperparameters = {"hidden": hidden}
    model = Net(**hyperparameters)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(rows[:, :4]), rows[:, 4].long())
        loss.backward()
        optimizer.step()
    logger.info(f"loss: {loss.item():.4f}")
    torch.save(
        {"hyperparameters": hyperparameters, "state_dict": model.state_dict()},
        os.path.join(model_dir, "model.pth"),
    )


def model_fn(model_dir):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    checkpoint = torch.load(
        os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True
    )
    model = Net(**checkpoint["hyperparameters"])
    model.load_state_dict(checkpoint["state_dict"])
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "data"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "."))
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    args = parse_args()
    train(**vars(args))
