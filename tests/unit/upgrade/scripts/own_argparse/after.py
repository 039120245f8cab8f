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


class Classifier(nn.Module):
    def __init__(self, inputs, hidden, classes=2, bias=True):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden, bias=bias), nn.Tanh(), nn.Linear(hidden, classes)
        )

    def forward(self, x):
        return self.layers(x)


def load(folder):
    table = np.loadtxt(folder + "/train.csv", delimiter=",", dtype=np.float32)
    return TensorDataset(torch.tensor(table[:, :4]), torch.tensor(table[:, 4]).long())


def train(args):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    torch.manual_seed(args.seed)
    dataset = load(args.data)
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(dataset, seed=args.seed) if world_size > 1 else None
    loader = DataLoader(
        dataset, batch_size=args.batch_size // world_size, shuffle=sampler is None, sampler=sampler
    )
    hyperparameters = {"inputs": 4, "hidden": args.hidden, "bias": args.bias}
    model = Classifier(**hyperparameters).to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        if world_size > 1:
            sampler.set_epoch(epoch)
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(ddp_model(x), y)
            loss.backward()
            optimizer.step()
        if args.verbose:
            logger.info("epoch %s loss %s", epoch, loss.item())
    if rank == 0:
        torch.save(
            {"hyperparameters": hyperparameters, "state_dict": model.state_dict()}, args.save_path
        )


def model_fn(model_dir):
    checkpoint = torch.load(
        os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True
    )
    model = Classifier(**checkpoint["hyperparameters"])
    model.load_state_dict(checkpoint["state_dict"])
    return model.to(device).eval()


def boolean(text):
    """Read True or False, as SageMaker passes them."""
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


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
    join_ranks()
    parser = argparse.ArgumentParser(description="Train a classifier.")
    parser.add_argument(
        "--data", default=os.environ.get("SM_CHANNEL_TRAINING", "data"), help="where train.csv is"
    )
    parser.add_argument(
        "--save-path",
        type=str,
        default=os.path.join(os.environ.get("SM_MODEL_DIR", "out"), "model.pth"),
    )
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--bias", type=boolean, default=True)
    parser.add_argument(
        "--verbose", type=boolean, nargs="?", const=True, default=False, help="say more"
    )
    args = parser.parse_args()
    train(args)
    if dist.is_initialized():
        dist.destroy_process_group()
