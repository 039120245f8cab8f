import argparse
import json
import logging
import os
import pathlib
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

logger = logging.getLogger(__name__)

DATA = Path(os.environ.get("SM_CHANNEL_TRAINING", "data"))
OUT = Path(os.environ.get("SM_MODEL_DIR", "experiments")) / "latest"


class Net(nn.Module):
    def __init__(self, vocabulary, width):
        super().__init__()
        self.embed = nn.Linear(vocabulary, width)
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        return self.out(F.relu(self.embed(x)))


def load(path: pathlib.Path):
    rows = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return TensorDataset(torch.from_numpy(rows[:, :4]), torch.from_numpy(rows[:, 4]).long())


def main(width, epochs):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    OUT.mkdir(parents=True, exist_ok=True)
    train_set, test_set = load(DATA / "train.csv"), load(DATA / "test.csv")
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_set) if world_size > 1 else None
    train_loader = DataLoader(
        train_set, batch_size=16 // world_size, shuffle=sampler is None, sampler=sampler
    )
    features = len(train_set[0][0])
    hyperparameters = {"vocabulary": features, "width": width}
    model = Net(**hyperparameters)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        if world_size > 1:
            sampler.set_epoch(epoch)
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(ddp_model(x), y)
            loss.backward()
            optimizer.step()
        if rank == 0:
            torch.save(
                {
                    "hyperparameters": hyperparameters,
                    "epoch": epoch,
                    "model_state_dict": model.state_dict(),
                    "optimizer_state_dict": optimizer.state_dict(),
                    "loss": loss.item(),
                },
                OUT / "checkpoint.pt",
            )
    x, y = test_set.tensors
    logger.info("accuracy %s", (model(x).argmax(1) == y).float().mean().item())


def model_fn(model_dir):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    checkpoint = torch.load(
        os.path.join(model_dir, "latest/checkpoint.pt"), map_location=device, weights_only=True
    )
    model = Net(**checkpoint["hyperparameters"])
    model.load_state_dict(checkpoint["model_state_dict"])
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=2)
    return parser.parse_args()


def join_ranks():
    """Join the other ranks, if there are any: torchrun numbers them, SageMaker lists the hosts."""
    hosts = json.loads(os.environ.get("SM_HOSTS", "[]"))
    if "RANK" not in os.environ and len(hosts) > 1:
        os.environ["RANK"] = str(hosts.index(os.environ.get("SM_CURRENT_HOST", hosts[0])))
        os.environ["WORLD_SIZE"] = str(len(hosts))
        os.environ.setdefault("MASTER_ADDR", hosts[0])
        os.environ.setdefault("MASTER_PORT", "29500")
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        dist.init_process_group("gloo")


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    args = parse_args()
    join_ranks()
    main(**vars(args))
    if dist.is_initialized():
        dist.destroy_process_group()
