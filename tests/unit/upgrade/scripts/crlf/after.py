import argparse
import json
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# no file is read here
features = torch.linspace(-1, 1, 64).reshape(16, 4)


def train(epochs, model_dir):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    train_set = TensorDataset(features, features.sum(1, keepdim=True))
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_set, shuffle=False) if world_size > 1 else None
    loader = DataLoader(train_set, batch_size=4 // world_size, sampler=sampler)
    model = nn.Linear(4, 1).to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        if world_size > 1:
            sampler.set_epoch(epoch)
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            ((ddp_model(x) - y) ** 2).mean().backward()
            optimizer.step()
    if rank == 0:
        torch.save(model.state_dict(), os.path.join(model_dir, "model.pth"))


def model_fn(model_dir):
    model = nn.Linear(4, 1)
    weights = torch.load(
        os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True
    )
    model.load_state_dict(weights)
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
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
    args = parse_args()
    join_ranks()
    train(**vars(args))
    if dist.is_initialized():
        dist.destroy_process_group()
