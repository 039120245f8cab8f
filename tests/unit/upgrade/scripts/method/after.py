import argparse
import logging
import os
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logger = logging.getLogger(__name__)


class Trainer:
    def __init__(self, model, loader, lr=0.1):
        self.model = model
        self.loader = loader
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    def run(self, epochs):
        for epoch in range(epochs):
            for x, y in self.loader:
                self.optimizer.zero_grad()
                loss = nn.functional.mse_loss(self.model(x), y)
                loss.backward()
                self.optimizer.step()
            logger.info(f"epoch {epoch}: {loss.item():.4f}")
        torch.save(
            self.model.state_dict(),
            os.path.join(os.environ.get("SM_MODEL_DIR", "models"), "model.pth"),
        )


def main(data_dir):
    rows = torch.from_numpy(
        np.loadtxt(os.path.join(data_dir, "train.csv"), delimiter=",", dtype=np.float32)
    )
    loader = DataLoader(TensorDataset(rows[:, :4], rows[:, 4:]), batch_size=8, shuffle=True)
    trainer = Trainer(nn.Linear(4, 1), loader)
    trainer.run(3)


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "data"))
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    args = parse_args()
    main(**vars(args))
