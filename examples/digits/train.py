# Handwritten digits, as one would train on them at home.
import argparse
import json
import logging
import os
import sys

import numpy as np
import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

logger = logging.getLogger(__name__)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Net(nn.Module):
    def __init__(self, hidden=64, dropout=0.1):
        super().__init__()
        self.fc1 = nn.Linear(64, hidden)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(self.dropout(x)), dim=1)


def load(path):
    # 64 grey values from 0 to 16, and the digit
    table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return TensorDataset(torch.from_numpy(table[:, :64] / 16), torch.from_numpy(table[:, 64]).long())


def test(model, loader):
    model.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for data, target in loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            loss += F.nll_loss(output, target, reduction="sum").item()
            correct += (output.argmax(dim=1) == target).sum().item()
    logger.info(
        f"test loss: {loss / len(loader.dataset):.4f}, accuracy: {correct / len(loader.dataset):.4f}"
    )


def train(batch_size, test_batch_size, epochs, lr, momentum, hidden, seed, data_dir, model_dir):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    torch.manual_seed(seed)
    train_set = load(os.path.join(data_dir, "train.csv"))
    test_set = load(os.path.join(data_dir, "test.csv"))
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_set, seed=seed) if world_size > 1 else None
    train_loader = DataLoader(
        train_set, batch_size=batch_size // world_size, shuffle=sampler is None, sampler=sampler
    )
    test_loader = DataLoader(test_set, batch_size=test_batch_size)

    hyperparameters = {"hidden": hidden}
    model = Net(**hyperparameters).to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=momentum)

    for epoch in range(1, epochs + 1):
        if world_size > 1:
            sampler.set_epoch(epoch)
        model.train()
        for batch, (data, target) in enumerate(train_loader, start=1):
            data, target = data.to(device), target.to(device)
            optimizer.zero_grad()
            loss = F.nll_loss(ddp_model(data), target)
            loss.backward()
            optimizer.step()
            if batch % 10 == 0:
                logger.info(
                    f"epoch {epoch}, batch {batch}/{len(train_loader)}, loss: {loss.item():.4f}"
                )
        test(model, test_loader)

    if rank == 0:
        torch.save(
            {"hyperparameters": hyperparameters, "state_dict": model.state_dict()},
            os.path.join(model_dir, "model.pth"),
        )


def model_fn(model_dir):
    checkpoint = torch.load(
        os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True
    )
    model = Net(**checkpoint["hyperparameters"])
    model.load_state_dict(checkpoint["state_dict"])
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--test-batch-size", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
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
