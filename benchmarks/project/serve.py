"""A TextCNN behind handlers: what every server here runs."""

import json
import time
import zlib
from pathlib import Path

import torch

WORDS, WIDTH, CLASSES = 5000, 100, 4


class TextCNN(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(WORDS, WIDTH)
        self.convolutions = torch.nn.ModuleList(
            torch.nn.Conv1d(WIDTH, 50, size) for size in (2, 3, 4)
        )
        self.linear = torch.nn.Linear(150, CLASSES)

    def forward(self, ids):
        embedded = self.embedding(ids).transpose(1, 2)
        pooled = [convolve(embedded).relu().amax(2) for convolve in self.convolutions]
        return self.linear(torch.cat(pooled, 1))


def model_fn(model_dir):
    started = time.perf_counter()
    model = TextCNN()
    path = Path(model_dir, "model.pth")
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    model.load_s = time.perf_counter() - started
    return model.eval()


def input_fn(request_body, content_type):
    return ids_of(json.loads(request_body))


def ids_of(texts):
    words = [[zlib.crc32(word.encode()) % WORDS for word in text.lower().split()] for text in texts]
    size = max(4, *map(len, words))
    return torch.tensor([row + [0] * (size - len(row)) for row in words])


def predict_fn(ids, model):
    with torch.no_grad():
        return model(ids).softmax(1)


def output_fn(probabilities, accept):
    return json.dumps(probabilities.tolist())
