# A line through some points.
import argparse
import json
import logging
import os
import sys

import matplotlib

matplotlib.use("Agg")
import numpy as np
import torch
import torch.distributed as dist
from torch import nn, optim
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

logger = logging.getLogger(__name__)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 1)

    def forward(self, x):
        return self.linear(x)


def train(
    # how it learns
    batch_size,
    epochs,  # enough for a line
    lr,
    data_dir,
    model_dir,
    output_data_dir,
):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    table = np.loadtxt(os.path.join(data_dir, "train.csv"), delimiter=",", dtype=np.float32)
    dataset = TensorDataset(torch.from_numpy(table[:, :4]), torch.from_numpy(table[:, 4:]))
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(dataset) if world_size > 1 else None
    loader = DataLoader(
        dataset, batch_size=batch_size // world_size, shuffle=sampler is None, sampler=sampler
    )

    # the model
    model = Line().to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    loss_fn = nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=lr)

    losses = []
    for epoch in range(epochs):
        if world_size > 1:
            sampler.set_epoch(epoch)
        for features, value in loader:
            features, value = features.to(device), value.to(device)
            optimizer.zero_grad()
            loss = loss_fn(ddp_model(features), value)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
        logger.info("epoch %s of %s", epoch, epochs)

    if rank == 0:
        torch.save(model.state_dict(), os.path.join(model_dir, "line.pth"))
        np.savetxt(os.path.join(output_data_dir, "losses.csv"), losses)


def model_fn(model_dir):
    model = Line()
    weights = torch.load(
        os.path.join(model_dir, "line.pth"), map_location=device, weights_only=True
    )
    model.load_state_dict(weights)
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "data"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR", "."))
    parser.add_argument("--output-data-dir", default=os.environ.get("SM_OUTPUT_DATA_DIR", "."))
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
