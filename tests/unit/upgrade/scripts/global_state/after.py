import argparse
import logging
import os
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logger = logging.getLogger(__name__)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def epoch():
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


def model_fn(model_dir):
    model = nn.Linear(4, 2)
    weights = torch.load(
        os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True
    )
    model.load_state_dict(weights)
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "data"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "."))
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    args = parse_args()
    rows = np.loadtxt(os.path.join(args.data_dir, "train.csv"), delimiter=",", dtype=np.float32)
    data = TensorDataset(torch.tensor(rows[:, :4]), torch.tensor(rows[:, 4]).long())
    loader = DataLoader(data, batch_size=16, shuffle=True)
    model = nn.Linear(4, 2).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    for i in range(2):
        epoch()
        logger.info("epoch %s", i)
    torch.save(model.state_dict(), os.path.join(args.model_dir, "model.pth"))
