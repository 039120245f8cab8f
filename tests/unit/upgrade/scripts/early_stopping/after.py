import argparse
import json
import logging
import os
import sys

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

logger = logging.getLogger(__name__)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def table(path):
    rows = torch.tensor(np.loadtxt(path, delimiter=",", dtype="float32"))
    return TensorDataset(rows[:, :4], rows[:, 4].long())


class Net(nn.Module):
    def __init__(self, hidden, p):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(p), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.net(x)


def evaluate(model, loader):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            total += nn.functional.cross_entropy(model(x), y, reduction="sum").item()
    return total / len(loader.dataset)


def of_rank_0(value):
    """Return rank 0's value: ranks that decide differently would wait for each other forever."""
    values = [value]
    if dist.is_initialized():
        dist.broadcast_object_list(values, src=0)
    return values[0]


def fit(epochs, patience, hidden, p, data_dir, model_dir):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    train_set = table(os.path.join(data_dir, "train.csv"))
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_set) if world_size > 1 else None
    train_loader = DataLoader(
        train_set, batch_size=16 // world_size, shuffle=sampler is None, sampler=sampler
    )
    val_loader = DataLoader(table(os.path.join(data_dir, "test.csv")), batch_size=16)
    hyperparameters = {"hidden": hidden, "p": p}
    model = Net(**hyperparameters).to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    os.makedirs(model_dir, exist_ok=True)
    best, waited = float("inf"), 0
    for epoch in range(epochs):
        if world_size > 1:
            sampler.set_epoch(epoch)
        model.train()
        for x, y in train_loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            nn.functional.cross_entropy(ddp_model(x), y).backward()
            optimizer.step()
        val_loss = evaluate(model, val_loader)
        # keep the best
        if of_rank_0(val_loss < best):
            best, waited = val_loss, 0
            if rank == 0:
                torch.save(
                    {"hyperparameters": hyperparameters, "state_dict": model.state_dict()},
                    os.path.join(model_dir, "best.pth"),
                )
        else:
            waited += 1
            if waited >= patience:
                logger.info("stopped early")
                break
    if rank == 0:
        model.load_state_dict(
            torch.load(
                os.path.join(model_dir, "best.pth"), map_location=device, weights_only=True
            )["state_dict"]
        )
    if world_size > 1:
        for tensor in model.state_dict().values():
            dist.broadcast(tensor, src=0)
    logger.info("best: %.3f" % evaluate(model, val_loader))


def model_fn(model_dir):
    checkpoint = torch.load(
        os.path.join(model_dir, "best.pth"), map_location=device, weights_only=True
    )
    model = Net(**checkpoint["hyperparameters"])
    model.load_state_dict(checkpoint["state_dict"])
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--patience", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--p", type=float, default=0.1)
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "data"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "models"))
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
    fit(**vars(args))
    if dist.is_initialized():
        dist.destroy_process_group()
