from __future__ import annotations

import argparse
import ast
import json
import logging
import os
import sys
from typing import Optional

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

logger = logging.getLogger(__name__)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Net(nn.Module):
    """A small network."""

    def __init__(self, widths: list[int], dropout: float = 0.0, *, norm: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 4
        for width in widths:
            layers.append(nn.Linear(before, width))
            if norm:
                layers.append(nn.LayerNorm(width))
            layers.append(nn.ReLU())
            before = width
        self.body = nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(before, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores."""
        return self.body(x)


def train(
    epochs: int,
    batch_size: int,
    lr: float,
    widths: list[int],  # of the hidden layers
    dropout: Optional[float],
    norm: bool,
    name: str,
    data_dir: str,
    model_dir: str,
) -> None:
    """Train and save."""
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    rows: np.ndarray = np.loadtxt(
        os.path.join(data_dir, "train.csv"), delimiter=",", dtype=np.float32
    )
    dataset: TensorDataset = TensorDataset(
        torch.from_numpy(rows[:, :4]), torch.from_numpy(rows[:, 4]).long()
    )
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(dataset) if world_size > 1 else None
    loader: DataLoader = DataLoader(
        dataset, batch_size=batch_size // world_size, shuffle=sampler is None, sampler=sampler
    )
    hyperparameters = {"widths": widths, "dropout": dropout or 0.0, "norm": norm}
    model: Net = Net(**hyperparameters).to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = torch.optim.SGD(model.parameters(), lr=lr / 100)
    for epoch in range(epochs):
        if world_size > 1:
            sampler.set_epoch(epoch)
        x: Tensor
        y: Tensor
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss: Tensor = nn.functional.cross_entropy(ddp_model(x), y)
            loss.backward()
            optimizer.step()
    logger.info(f"{name!r}: {epochs} epochs, {100}% done")
    if rank == 0:
        torch.save(
            {"hyperparameters": hyperparameters, "state_dict": model.state_dict()},
            os.path.join(model_dir, "typed.pth"),
        )


def model_fn(model_dir):
    checkpoint = torch.load(
        os.path.join(model_dir, "typed.pth"), map_location=device, weights_only=True
    )
    model = Net(**checkpoint["hyperparameters"])
    model.load_state_dict(checkpoint["state_dict"])
    return model.to(device).eval()


def boolean(text):
    """Read True or False, as SageMaker passes them."""
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def literal(text):
    """Read a list or a dict, as JSON or in Python's way."""
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(text)


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1)
    parser.add_argument("--widths", type=literal, default=[8, 8])
    parser.add_argument("--dropout", type=float, default=None)
    parser.add_argument("--norm", type=boolean, default=True)
    parser.add_argument("--name", default="typed")
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "data"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "."))
    return parser.parse_args()


def join_ranks():
    """Join the other ranks, if there are any: torchrun numbers them, SageMaker lists the hosts."""
    hosts = json.loads(os.environ.get("SM_HOSTS", "[]"))
    if "RANK" not in os.environ and len(hosts) > 1:
        os.environ["RANK"] = str(hosts.index(os.environ.get("SM_CURRENT_HOST", hosts[0])))
        os.environ["WORLD_SIZE"] = str(len(hosts))
        os.environ.setdefault("MASTER_ADDR", hosts[0])
        os.environ.setdefault("MASTER_PORT", "29500")
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    args = parse_args()
    join_ranks()
    train(**vars(args))
    if dist.is_initialized():
        dist.destroy_process_group()
