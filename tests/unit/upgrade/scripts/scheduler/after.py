import argparse
import json
import logging
import os
import sys

import numpy as np
import torch
import torch.distributed as dist
import torch.nn as nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.optim import AdamW
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, Dataset, DistributedSampler, random_split

logger = logging.getLogger(__name__)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Table(Dataset):
    def __init__(
        self, path=os.path.join(os.environ.get("SM_CHANNEL_TRAINING", "data"), "train.csv")
    ):
        rows = np.loadtxt(path, delimiter=",", dtype=np.float32)
        self.x = torch.from_numpy(rows[:, :4])
        self.y = torch.from_numpy(rows[:, 4]).long()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


class Net(nn.Module):
    def __init__(self, features, width=8, depth=2):
        super().__init__()
        sizes = [features] + [width] * depth
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [nn.Linear(a, b), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        return self.head(self.body(x))


def of_rank_0(value):
    """Return rank 0's value: ranks that decide differently would wait for each other forever."""
    values = [value]
    if dist.is_initialized():
        dist.broadcast_object_list(values, src=0)
    return values[0]


def run(epochs, width, depth, lr, model_dir):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    data = Table()
    train_data, val_data = random_split(data, [72, 24], generator=torch.Generator().manual_seed(1))
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_data) if world_size > 1 else None
    train_loader = DataLoader(
        train_data, batch_size=12 // world_size, shuffle=sampler is None, sampler=sampler
    )
    val_loader = DataLoader(val_data, batch_size=24)
    hyperparameters = {"features": data.x.shape[1], "width": width, "depth": depth}
    model = Net(**hyperparameters).to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    scheduler = ReduceLROnPlateau(optimizer, patience=1)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        if world_size > 1:
            sampler.set_epoch(epoch)
        model.train()
        for x, y in train_loader:
            x, y = x.to(device), y.to(device)
            loss = criterion(ddp_model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            val_loss = sum(
                criterion(model(x.to(device)), y.to(device)).item() for x, y in val_loader
            )
        scheduler.step(of_rank_0(val_loss))
        logger.info("%s: %s", epoch, val_loss)
    if rank == 0:
        torch.save(
            {"hyperparameters": hyperparameters, "state_dict": model.state_dict()},
            os.path.join(model_dir, "net.pth"),
        )


def model_fn(model_dir):
    checkpoint = torch.load(
        os.path.join(model_dir, "net.pth"), map_location=device, weights_only=True
    )
    model = Net(**checkpoint["hyperparameters"])
    model.load_state_dict(checkpoint["state_dict"])
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--lr", type=float, default=3e-3)
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
    run(**vars(args))
    if dist.is_initialized():
        dist.destroy_process_group()
