"""Digits of the usual kind."""

import argparse
import json
import logging
import os
import sys

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler
from torchvision import datasets, transforms

logger = logging.getLogger(__name__)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 16)
        self.fc2 = nn.Linear(16, 10)

    def forward(self, x):
        x = torch.flatten(x, 1)
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


def main(batch_size, epochs, lr, data_dir, model_dir):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    transform = transforms.ToTensor()
    train_data = datasets.MNIST(data_dir, train=True, download=True, transform=transform)
    test_data = datasets.MNIST(root=data_dir, train=False, transform=transform)
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_data) if world_size > 1 else None
    train_loader = DataLoader(
        train_data,
        batch_size=batch_size // world_size,
        shuffle=sampler is None,
        sampler=sampler,
        num_workers=0,
    )
    test_loader = DataLoader(test_data, batch_size=100)
    model = Net().to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    for epoch in range(epochs):
        if world_size > 1:
            sampler.set_epoch(epoch)
        model.train()
        for i, (images, labels) in enumerate(train_loader):
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = F.nll_loss(ddp_model(images), labels)
            loss.backward()
            optimizer.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for images, labels in test_loader:
                images, labels = images.to(device), labels.to(device)
                correct += (model(images).argmax(1) == labels).sum().item()
        logger.info(f"Epoch {epoch + 1}: accuracy={correct / len(test_data):.3f};")
    if rank == 0:
        torch.save(model.state_dict(), os.path.join(model_dir, "mnist_cnn.pt"))


def model_fn(model_dir):
    model = Net()
    weights = torch.load(
        os.path.join(model_dir, "mnist_cnn.pt"), map_location=device, weights_only=True
    )
    model.load_state_dict(weights)
    return model.to(device).eval()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--data-dir", default=os.environ.get("SM_CHANNEL_TRAINING", "./data"))
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
