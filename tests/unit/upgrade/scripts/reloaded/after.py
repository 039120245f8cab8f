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


def load(path):
    rows = torch.from_numpy(np.loadtxt(path, delimiter=",", dtype=np.float32))
    return TensorDataset(rows[:, :4], rows[:, 4].long())

device = "cuda" if torch.cuda.is_available() else "cpu"

# Define model
class NeuralNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.stack = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x):
        return self.stack(x)

def train(dataloader, model, loss_fn, optimizer):
    size = len(dataloader.dataset)
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        X, y = X.to(device), y.to(device)
        loss = loss_fn(model(X), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 4 == 0:
            logger.info(f"loss: {loss.item():>7f}  [{(batch + 1) * len(X):>5d}/{size:>5d}]")

def test(dataloader, model):
    model.eval()
    correct = 0
    with torch.no_grad():
        for X, y in dataloader:
            X, y = X.to(device), y.to(device)
            correct += (model(X).argmax(1) == y).type(torch.float).sum().item()
    logger.info(f"Accuracy: {100 * correct / len(dataloader.dataset):>0.1f}%")


def main(batch_size, epochs, data_dir, model_dir):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    training_data = load(os.path.join(data_dir, "train.csv"))
    test_data = load(os.path.join(data_dir, "test.csv"))

    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(training_data, shuffle=False) if world_size > 1 else None
    train_dataloader = DataLoader(
        training_data, batch_size=batch_size // world_size, sampler=sampler
    )
    test_dataloader = DataLoader(test_data, batch_size=batch_size)

    for X, y in test_dataloader:
        logger.info(f"Shape of X: {X.shape}")
        break
    logger.info(f"Using {device} device")

    model = NeuralNetwork().to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    logger.info(model)

    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-1)
    for t in range(epochs):
        if world_size > 1:
            sampler.set_epoch(t)
        logger.info(f"Epoch {t+1}\n-------")
        train(train_dataloader, ddp_model, loss_fn, optimizer)
        test(test_dataloader, model)

    if rank == 0:
        torch.save(model.state_dict(), os.path.join(model_dir, "model.pth"))

    model = NeuralNetwork().to(device)
    if rank == 0:
        model.load_state_dict(
            torch.load(os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True)
        )
    if world_size > 1:
        for tensor in model.state_dict().values():
            dist.broadcast(tensor, src=0)
    test(test_dataloader, model)


def model_fn(model_dir):
    model = NeuralNetwork()
    weights = torch.load(
        os.path.join(model_dir, "model.pth"), map_location=device, weights_only=True
    )
    model.load_state_dict(weights)
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=2)
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
    main(**vars(args))
    if dist.is_initialized():
        dist.destroy_process_group()
