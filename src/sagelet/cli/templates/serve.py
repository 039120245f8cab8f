"""The model behind an endpoint: `sagelet deploy` serves it here, and SageMaker serves it there."""

import json
import os

import torch


def model_fn(model_dir):
    model = torch.nn.Linear(1, 1)
    state = torch.load(os.path.join(model_dir, "model.pth"), map_location="cpu", weights_only=True)
    model.load_state_dict(state)
    return model.eval()


def input_fn(request_body, content_type):
    return torch.tensor(json.loads(request_body), dtype=torch.float32)


def predict_fn(data, model):
    with torch.no_grad():
        return model(data)


def output_fn(prediction, accept):
    return json.dumps(prediction.tolist()), "application/json"
