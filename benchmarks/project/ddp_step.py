"""Two hosts, gloo, one step of DistributedDataParallel, and when it was done."""

import json
import os
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

torch.set_num_threads(1)
hosts = json.loads(os.environ.get("SM_HOSTS", "[]"))
if "RANK" not in os.environ:
    os.environ["RANK"] = str(hosts.index(os.environ["SM_CURRENT_HOST"]))
    os.environ["WORLD_SIZE"] = str(len(hosts))
dist.init_process_group("gloo")
model = DistributedDataParallel(torch.nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model(torch.rand(64, 10)).square().mean().backward()
optimizer.step()
print(f"first step at {time.time():.6f}", flush=True)
del model, optimizer  # freed after the group, they may wait for its threads for ever
dist.destroy_process_group()
