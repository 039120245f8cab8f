"""Fit a line to noisy points. Runs alone, under `sagelet train`, and on SageMaker, unchanged."""

import argparse
import os
from pathlib import Path

import torch


def train(epochs: int, learning_rate: float, model_dir: Path) -> None:
    torch.manual_seed(0)
    x = torch.rand(256, 1)
    y = 2 * x + 1 + 0.05 * torch.randn(256, 1)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for epoch in range(1, epochs + 1):
        loss = torch.nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % 50 == 0:
            print(f"epoch={epoch} loss={loss.item():.4f}")
    model_dir.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), model_dir / "model.pth")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    args = parser.parse_args()
    train(args.epochs, args.learning_rate, args.model_dir)
