import argparse
import os

import pytorch_lightning as pl
import torch
from torch import nn


class Net(pl.LightningModule):
    def __init__(self, hidden=8):
        super().__init__()
        self.net = nn.Linear(4, hidden)

    def training_step(self, batch, _):
        return self.net(batch).mean()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


def main(epochs, data_dir, model_dir):
    trainer = pl.Trainer(max_epochs=epochs)
    trainer.fit(Net(), torch.load(os.path.join(data_dir, "batches.pt")))
    torch.save(trainer.model.state_dict(), os.path.join(model_dir, "model.pth"))


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "data"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "."))
    return parser.parse_args()


if __name__ == "__main__":
    args = parse_args()
    main(**vars(args))
