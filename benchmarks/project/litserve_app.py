"""The same handlers behind LitServe."""

import sys
from pathlib import Path

import litserve
import serve
import torch


class Handlers(litserve.LitAPI):
    def setup(self, device):
        torch.set_num_threads(1)
        self.model = serve.model_fn(Path(__file__).parent / "model")

    def decode_request(self, request):
        return serve.ids_of(request)

    def predict(self, ids):
        return serve.predict_fn(ids, self.model)

    def encode_response(self, probabilities):
        return probabilities.tolist()


if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    api = Handlers(api_path="/invocations")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=workers)
    server.run("127.0.0.1", port, log_level="warning", generate_client_file=False)
