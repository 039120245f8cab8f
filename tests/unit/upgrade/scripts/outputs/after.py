import argparse
import csv
import json
import logging
import os
import sys

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, Dataset, DistributedSampler

logger = logging.getLogger(__name__)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Rows(Dataset):
    def __init__(self, split, data_dir):
        rows = np.loadtxt(
            os.path.join(data_dir, "tables/") + split + ".csv", delimiter=",", dtype=np.float32
        )
        self.rows = torch.from_numpy(rows)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i, :4], self.rows[i, 4].long()


def classes(data_dir):
    with open(os.path.join(data_dir, "classes.txt")) as file:
        return file.read().split()


class Net(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.linear(x)


def train(epochs, lr, data_dir, model_dir, output_data_dir):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    names = classes(data_dir)
    train_set = Rows("train", data_dir)
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_set) if world_size > 1 else None
    loader = DataLoader(
        train_set, batch_size=16 // world_size, shuffle=sampler is None, sampler=sampler
    )
    hyperparameters = {"inputs": 4, "outputs": len(names)}
    model = Net(**hyperparameters).to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    history = []
    for epoch in range(epochs):
        if world_size > 1:
            sampler.set_epoch(epoch)
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(ddp_model(x), y)
            loss.backward()
            optimizer.step()
        history.append(loss.item())
    if rank == 0:
        torch.save(
            {"hyperparameters": hyperparameters, "state_dict": model.state_dict()},
            os.path.join(model_dir, "model.pth"),
        )
        with open(os.path.join(output_data_dir, "history.json"), "w") as file:
            json.dump(history, file)
        with open(os.path.join(output_data_dir, "history.csv"), "w", newline="") as file:
            csv.writer(file).writerows([x] for x in history)
    logger.info("trained on %s", names)


def model_fn(model_dir):
    checkpoint = torch.load(
        os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True
    )
    model = Net(**checkpoint["hyperparameters"])
    model.load_state_dict(checkpoint["state_dict"])
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "dataset"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "."))
    parser.add_argument(
        "--output-data-dir", default=os.environ.get("SM_OUTPUT_DATA_DIR", "results")
    )
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
