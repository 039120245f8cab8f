import argparse
import ast
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


class Net(nn.Module):
    def __init__(self, sizes=(4, 8, 2), act="relu"):
        super().__init__()
        self.first = nn.Linear(sizes[0], sizes[1])
        self.act = nn.ReLU() if act == "relu" else nn.Tanh()
        self.second = nn.Linear(sizes[1], sizes[2])

    def forward(self, x):
        return self.second(self.act(self.first(x)))


def train(lr, sizes, act, shuffle, clip, data_dir, model_dir):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    rows = torch.from_numpy(
        np.loadtxt(os.path.join(data_dir, "train.csv"), delimiter=",", dtype=np.float32)
    )
    train_set = TensorDataset(rows[:, :4], rows[:, 4].long())
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_set) if world_size > 1 else None
    loader = DataLoader(
        train_set, batch_size=16 // world_size, shuffle=sampler is None, sampler=sampler
    )
    hyperparameters = {"sizes": sizes, "act": act}
    model = Net(**hyperparameters).to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for epoch in range(2):
        if world_size > 1:
            sampler.set_epoch(epoch)
        for batch in loader:
            x, y = batch
            x, y = x.to(device), y.to(device)
            loss = nn.functional.cross_entropy(ddp_model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    logger.info("done: %s %s", shuffle, clip)
    if rank == 0:
        torch.save(
            {"hyperparameters": hyperparameters, "state_dict": model.state_dict()},
            os.path.join(model_dir, "model.pth"),
        )
    return model


def model_fn(model_dir):
    checkpoint = torch.load(
        os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True
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
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--sizes", type=literal, default=[4, 8, 2])
    parser.add_argument("--act", default="tanh")
    parser.add_argument("--shuffle", type=boolean, default=True)
    parser.add_argument("--clip", default=None)
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
    trained = train(**vars(args))
    logger.info(trained.training)
    if dist.is_initialized():
        dist.destroy_process_group()
