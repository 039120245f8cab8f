"""A short script as people write them: torch, one optimizer, a few steps."""

import os
from pathlib import Path

import torch

torch.set_num_threads(1)
model = torch.nn.Linear(10, 1)
optimizer = torch.optim.Adam(model.parameters())
for _ in range(50):
    loss = model(torch.rand(64, 10)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss={loss.item():.4f}")
folder = Path(os.environ.get("SM_MODEL_DIR", "/tmp"))
torch.save(model.state_dict(), folder / "model.pth")
