import argparse
import json
import logging
import os
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(**name**)
logger.setLevel(logging.DEBUG)
logger.addHandler(logging.StreamHandler(sys.stdout))


class Net(nn.Module):
    def **init**(self):
        super().**init**()
        self.fc1 = nn.Linear(4, 8)
        self.fc2 = nn.Linear(8, 2)

    def forward(self, x):
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


def train(args):
    use_cuda = args.num_gpus > 0
    device = torch.device(“cuda” if use_cuda else “cpu”)
    table = np.loadtxt(os.path.join(args.data_dir, “train.csv”), delimiter=“,”, dtype=“float32”)
    train_set = torch.utils.data.TensorDataset(torch.tensor(table[:, :4]), torch.tensor(table[:, 4]).long())
    train_loader = torch.utils.data.DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    model = Net().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
    for epoch in range(1, args.epochs + 1):
        for data, target in train_loader:
            data, target = data.to(device) ,target.to(device)
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
        logger.info(“epoch %d, it’s %f”, epoch, loss.item())
    with open(os.path.join(args.model_dir, ‘model.pth’), “wb”) as f:
    torch.save(model.state_dict(), f)


def model_fn(model_dir):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = torch.nn.DataParallel(Net())
    with open(os.path.join(model_dir, "model.pth"), "rb") as f:
    model.load_state_dict(torch.load(f))
    return model.to(device)


If **name** == “**main**”:
    parser = argparse.ArgumentParser() # hyperparameters:
    parser.add*argument("--batch-size",type=int,default=16)
    parser.add_argument(“--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--momentum", type=float, default=0.5)
    # directories to save the model and get the training data:
    parser.add_argument("--model-dir", type=str, default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--data-dir", type=str, default=os.environ[“SM_CHANNEL_TRAINING"])
    parser.add_argument("--hosts", type=list, default=json.loads(os.environ["SM_HOSTS"]))
    parser.add_argument("--num-gpus", type=int, default=os.environ["SM_NUM_GPUS"])
    *, args = parser.parse_args()
    train(args)
