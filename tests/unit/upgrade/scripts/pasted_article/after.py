import argparse
import ast
import json
import logging
import os
import sys

import numpy as np
import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DistributedSampler

logger = logging.getLogger(__name__)
logger.setLevel(logging.DEBUG)
logger.addHandler(logging.StreamHandler(sys.stdout))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.fc2 = nn.Linear(8, 2)

    def forward(self, x):
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


def train(args):
    rank = dist.get_rank() if dist.is_initialized() else 0
    world_size = dist.get_world_size() if dist.is_initialized() else 1
    use_cuda = args.num_gpus > 0
    device = torch.device("cuda" if use_cuda else "cpu")
    table = np.loadtxt(os.path.join(args.data_dir, "train.csv"), delimiter=",", dtype="float32")
    train_set = torch.utils.data.TensorDataset(torch.tensor(table[:, :4]), torch.tensor(table[:, 4]).long())
    # The ranks share each batch among them: together it is as large as asked for.
    sampler = DistributedSampler(train_set) if world_size > 1 else None
    train_loader = torch.utils.data.DataLoader(
        train_set,
        batch_size=args.batch_size // world_size,
        shuffle=sampler is None,
        sampler=sampler,
    )
    model = Net().to(device)
    ddp_model = DDP(model) if world_size > 1 else model
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
    for epoch in range(1, args.epochs + 1):
        if world_size > 1:
            sampler.set_epoch(epoch)
        for data, target in train_loader:
            data, target = data.to(device) ,target.to(device)
            optimizer.zero_grad()
            loss = F.nll_loss(ddp_model(data), target)
            loss.backward()
            optimizer.step()
        logger.info("epoch %d, it's %f", epoch, loss.item())
    if rank == 0:
        with open(os.path.join(args.model_dir, 'model.pth'), "wb") as f:
            torch.save(model.state_dict(), f)


def model_fn(model_dir):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = Net()
    with open(os.path.join(model_dir, "model.pth"), "rb") as f:
        model.load_state_dict(torch.load(f, map_location=device, weights_only=True))
    return model.to(device).eval()


def literal(text):
    """Read a list or a dict, as JSON or in Python's way."""
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(text)


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
    join_ranks()
    parser = argparse.ArgumentParser() # hyperparameters:
    parser.add_argument("--batch-size",type=int,default=16)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--momentum", type=float, default=0.5)
    # directories to save the model and get the training data:
    parser.add_argument("--model-dir", type=str, default=os.environ.get("SM_MODEL_DIR", "."))
    parser.add_argument(
        "--data-dir", type=str, default=os.environ.get("SM_CHANNEL_TRAINING", "data")
    )
    parser.add_argument(
        "--hosts", type=literal, default=json.loads(os.environ.get("SM_HOSTS", '["localhost"]'))
    )
    parser.add_argument(
        "--num-gpus", type=int, default=os.environ.get("SM_NUM_GPUS", torch.cuda.device_count())
    )
    args = parser.parse_args()
    train(args)
    if dist.is_initialized():
        dist.destroy_process_group()
