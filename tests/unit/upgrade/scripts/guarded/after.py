import argparse
import json
import logging
import os
import sys

import torch
import torch.distributed as dist
import torch.nn as nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler

from rows import Rows

logger = logging.getLogger(__name__)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

EPOCHS = 2
BATCH_SIZE = 16


class MLP(nn.Module):
    def __init__(self, n_in: int, n_hidden: int, n_out: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_in, n_hidden)
        self.out = nn.Linear(n_hidden, n_out)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


def train_epoch(model, loader, criterion, optimizer):
    model.train()
    total = 0.0
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    hits = 0
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        hits += (model(x).argmax(dim=-1) == y).sum().item()
    return hits / len(loader.dataset)


def get_loaders(batch_size, data_dir):
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    train_set = Rows(os.path.join(data_dir, "train.csv"))
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_set) if world_size > 1 else None
    train_loader = DataLoader(
        train_set,
        batch_size=batch_size // world_size,
        shuffle=sampler is None,
        sampler=sampler,
        drop_last=True,
    )
    test_loader = DataLoader(Rows(os.path.join(data_dir, "test.csv")), batch_size=batch_size)
    return train_loader, test_loader


def save(model, model_dir, hyperparameters):
    rank = dist.get_rank() if dist.is_initialized() else 0
    if rank == 0:
        torch.save(
            {"hyperparameters": hyperparameters, "state_dict": model.state_dict()},
            os.path.join(model_dir, "model.pth"),
        )
    logger.info("saved")


def main(hidden, epochs, batch_size, data_dir, model_dir):
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    train_loader, test_loader = get_loaders(batch_size, data_dir)
    hyperparameters = {"n_in": 4, "n_hidden": hidden, "n_out": 2}
    model = MLP(**hyperparameters).to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    for epoch in range(epochs):
        if world_size > 1:
            train_loader.sampler.set_epoch(epoch)
        loss = train_epoch(ddp_model, train_loader, criterion, optimizer)
        logger.info(f"{epoch}: {loss:.4f} {evaluate(model, test_loader)!s}")
    save(model, model_dir, hyperparameters)


def model_fn(model_dir):
    checkpoint = torch.load(
        os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True
    )
    model = MLP(**checkpoint["hyperparameters"])
    model.load_state_dict(checkpoint["state_dict"])
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "data"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "checkpoints"))
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


if __name__ == '__main__':
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    args = parse_args()
    join_ranks()
    main(**vars(args))
    if dist.is_initialized():
        dist.destroy_process_group()
