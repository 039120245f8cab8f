"""A broken and a clean snippet, or more, for the rules of paths, hosts, saving and loading."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.upgrade.findings import Severity
from tests.unit.upgrade.marked import GROUP, JOB, a_project, assert_found, findings

ARGS = (
    "import argparse, os\nimport numpy as np\nimport torch\np = argparse.ArgumentParser()\n"
    "def f(loss):\n    loss.backward()\n"
)
PATHS = [
    ("hard-coded-data-path", JOB + "import numpy as np\nx = np.loadtxt(▸'data/x.csv')\n"),
    (
        "hard-coded-data-path",
        JOB + "from pandas import read_csv\nread_csv(filepath_or_buffer=▸'x.csv')\n",
    ),
    (
        "hard-coded-data-path",
        JOB + "def load(name, path):\n    open(path)\nload(1, ▸'/home/ada/x.txt')\n",
    ),
    (
        "hard-coded-data-path",
        JOB + "def load(p):\n    open(p)\ndef get(q):\n    load(q)\nget(q=▸'d/x.csv')\n",
    ),
    (
        "hard-coded-data-path",
        JOB + "import os\nROOT = ▸'~/data'\nx = os.listdir(os.path.join(ROOT, 'train'))\n",
    ),
    (
        "hard-coded-data-path",
        JOB + "from pathlib import Path\nROOT = Path(▸'../data')\nx = torch.load(ROOT / 'x.pt')\n",
    ),
    (
        "hard-coded-data-path",
        JOB
        + "class Set:\n    def __init__(self, root):\n        self.x = open(root + '/x.bin')\n"
        + "Set(▸'data')\n",
    ),
    (
        "hard-coded-data-path",
        JOB + "from torchvision import datasets\ndatasets.MNIST(▸'../data', train=True)\n",
    ),
    (
        "hard-coded-data-path",
        ARGS + "p.add_argument('--data', default=▸'./data')\na = p.parse_args()\nnp.load(a.data)\n",
    ),
    (
        "hard-coded-data-path",
        ARGS
        + "p.add_argument('--data', default=os.environ.get('SM_CHANNEL_TRAIN', 'data'))\n"
        + "a = p.parse_args()\nnp.load(a.data)\n",
    ),
    ("hard-coded-data-path", JOB + "x = open('vocabulary.json')\ny = open('/dev/stdin')\n"),
    ("hard-coded-data-path", JOB + "import pandas as pd\nx = pd.read_csv('https://host/x.csv')\n"),
    (
        "hard-coded-data-path",
        JOB + "def load(path='x.csv'):\n    open(path)\nload(folder + '/x')\n",
    ),
    ("hard-coded-data-path", JOB + "path = 'x.csv'\npath = given()\nopen(path)\n"),
    ("hard-coded-data-path", JOB + "torch.save(1, 'best.pt')\nx = torch.load('best.pt')\n"),
    ("hard-coded-data-path", "import numpy as np\nx = np.loadtxt('data/x.csv')\n"),
    ("hard-coded-output-path", JOB + "torch.save(m, ▸'model.pth')\n"),
    ("hard-coded-output-path", JOB + "def s(m, p=▸'a.pt'):\n    torch.save(m, p)\ns(1)\n"),
    ("hard-coded-output-path", JOB + "def s(m, p='a.pt'):\n    torch.save(m, p)\ns(1, given)\n"),
    (
        "hard-coded-output-path",
        JOB + "torch.save(m, f=▸f'model-{epoch}.pth')\n",
    ),
    ("hard-coded-output-path", JOB + "torch.save(m, ▸'./' + name)\nframe.to_csv(▸'log.csv')\n"),
    ("hard-coded-output-path", JOB + "with open(▸'log.txt', 'w') as f:\n    pass\n"),
    (
        "hard-coded-output-path",
        JOB + "OUT = ▸'out'\ntorch.save(a, OUT)\ntorch.save(b, f'{OUT}/b')\n",
    ),
    ("hard-coded-output-path", JOB + "torch.save(m, os.path.join(args.model_dir, 'model.pth'))\n"),
    ("hard-coded-output-path", JOB + "torch.save(m, f'{folder}/model.pth')\n"),
    (
        "hard-coded-output-path",
        JOB + "torch.save(m, '/opt/ml/model/model.pth')\nopen('/tmp/x', 'w')\n",
    ),
    ("hard-coded-output-path", "import torch\ntorch.save(m, 'model.pth')\n"),
    ("opt-ml-path", JOB + "torch.save(m, ▸'/opt/ml/model/model.pth')\n"),
    ("opt-ml-path", JOB + "x = os.environ.get('SM_MODEL_DIR', '/opt/ml/model')\n"),
    (
        "download-in-job",
        JOB + "from torchvision.datasets import MNIST\nMNIST(root, download=▸True)\n",
    ),
    ("download-in-job", JOB + "import torchvision as t\nt.datasets.MNIST(root, download=False)\n"),
]

HOSTS = [
    ("no-distributed-sampler", GROUP + "train_loader = ▸DataLoader(train_set, batch_size=4)\n"),
    ("no-distributed-sampler", GROUP + "loader = ▸torch.utils.data.DataLoader(d, shuffle=True)\n"),
    ("no-distributed-sampler", GROUP + "train_loader = DataLoader(train_set, sampler=s)\n"),
    ("no-distributed-sampler", GROUP + "train_loader = DataLoader(d, batch_sampler=s)\n"),
    ("no-distributed-sampler", GROUP + "test_loader = DataLoader(test_set, shuffle=True)\n"),
    ("no-distributed-sampler", GROUP + "def evaluate():\n    return DataLoader(d, shuffle=True)\n"),
    ("no-distributed-sampler", GROUP + "train_loader = DataLoader(d, **options)\n"),
    ("no-distributed-sampler", "import accelerate\n" + GROUP + "train_loader = DataLoader(d)\n"),
    (
        "no-distributed-sampler",
        "from torch.utils.data import DataLoader\ntrain_loader = DataLoader(d, shuffle=True)\n",
    ),
    (
        "sampler-and-shuffle",
        GROUP + "s = DistributedSampler(d)\nDataLoader(d, sampler=s, shuffle=▸True)\n",
    ),
    ("sampler-and-shuffle", GROUP + "DataLoader(d, sampler=None, shuffle=True)\n"),
    ("sampler-and-shuffle", GROUP + "DataLoader(d, sampler=s, shuffle=s is None)\n"),
    (
        "sampler-and-shuffle",
        GROUP
        + "s = DistributedSampler(d) if many else None\nDataLoader(d, sampler=s, shuffle=True)\n",
    ),
    ("no-set-epoch", GROUP + "sampler = ▸DistributedSampler(train_set)\n"),
    ("no-set-epoch", GROUP + "sampler = ▸DistributedSampler(d) if many else None\n"),
    ("no-set-epoch", GROUP + "sampler = DistributedSampler(d)\nsampler.set_epoch(1)\n"),
    ("no-set-epoch", GROUP + "sampler = DistributedSampler(d, shuffle=False)\n"),
    ("no-set-epoch", GROUP + "val_sampler = DistributedSampler(d)\n"),
    ("nccl-on-cpu", "from torch import distributed as d\nd.init_process_group(▸'nccl', rank=1)\n"),
    ("nccl-on-cpu", "from torch import distributed as d\nd.init_process_group(backend=▸'nccl')\n"),
    (
        "nccl-on-cpu",
        "import argparse\nimport torch.distributed as d\np = argparse.ArgumentParser()\n"
        "p.add_argument('--backend', default=▸'nccl')\na = p.parse_args()\n"
        "d.init_process_group(a.backend)\n",
    ),
    ("nccl-on-cpu", "from torch import distributed as d\nb = ▸'nccl'\nd.init_process_group(b)\n"),
    (
        "nccl-on-cpu",
        "import torch\nfrom torch import distributed as d\n"
        "d.init_process_group('nccl' if torch.cuda.is_available() else 'gloo')\n",
    ),
    (
        "nccl-on-cpu",
        "import torch\nfrom torch import distributed as d\nif torch.cuda.is_available():\n"
        "    d.init_process_group('nccl')\n",
    ),
    ("fixed-master-port", "import os\n▸os.environ['MASTER_PORT'] = '29500'\n"),
    ("fixed-master-port", "import os\n▸os.environ['MASTER_PORT'] = str(29500)\n"),
    (
        "fixed-master-port",
        "import torch.distributed as d\nd.init_process_group('gloo', init_method=▸'tcp://a:23456')\n",
    ),
    ("fixed-master-port", "import os\nos.environ.setdefault('MASTER_PORT', '29500')\n"),
    ("fixed-master-port", "import os\nos.environ['MASTER_PORT'] = port\n"),
    (
        "fixed-master-port",
        "import os\nif 'MASTER_PORT' not in os.environ:\n    os.environ['MASTER_PORT'] = '1'\n",
    ),
    ("not-distributed", JOB.replace("loss.b", "▸loss.b") + "train(1)\n"),
    ("not-distributed", JOB),
    ("not-distributed", GROUP + "f(1)\n"),
    ("not-distributed", "from accelerate import Accelerator\n" + JOB + "train(1)\n"),
]

SAVING = [
    ("every-rank-saves", GROUP + "▸torch.save(m, path)\n"),
    ("every-rank-saves", GROUP + "def save(m):\n    ▸torch.save(m, path)\nsave(m)\n"),
    ("every-rank-saves", GROUP + "if __name__ == '__main__':\n    ▸torch.save(m, path)\n"),
    ("every-rank-saves", GROUP + "if dist.get_rank() == 0:\n    torch.save(m, path)\n"),
    ("every-rank-saves", GROUP + "if args.is_master:\n    m.save_pretrained(path)\n"),
    (
        "every-rank-saves",
        GROUP + "def s():\n    if rank != 0:\n        return\n    torch.save(m, p)\n",
    ),
    ("every-rank-saves", GROUP + "def s(m):\n    torch.save(m, p)\nif host_rank == 0:\n    s(m)\n"),
    ("every-rank-saves", GROUP + "@rank_zero_only\ndef s(m):\n    torch.save(m, p)\ns(m)\n"),
    ("every-rank-saves", GROUP + "torch.save(m, f'checkpoint-{rank}.pt')\n"),
    ("every-rank-saves", JOB + "torch.save(m, path)\n"),
    ("every-rank-saves", GROUP + "import io\nb = io.BytesIO()\ntorch.save(m, b)\n"),
    (
        "every-rank-saves",
        GROUP
        + "import tempfile\nwith tempfile.NamedTemporaryFile() as t:\n    torch.save(m, t.name)\n",
    ),
    ("module-prefix", GROUP + "m = DDP(net)\ntorch.save(▸m.state_dict(), p)\n"),
    ("module-prefix", GROUP + "m = DDP(net)\nw = ▸m.cpu().state_dict()\ntorch.save(w, p)\n"),
    ("module-prefix", GROUP + "m = DDP(net)\ntorch.save({'model': ▸m.state_dict()}, p)\n"),
    (
        "module-prefix",
        GROUP + "m = torch.nn.DataParallel(net).cuda()\ntorch.save(▸m.state_dict(), p)\n",
    ),
    (
        "module-prefix",
        GROUP
        + "def save(model, p):\n    torch.save(▸model.state_dict(), p)\n"
        + "def main():\n    m = net()\n    m = DDP(m)\n    save(m, p)\n",
    ),
    ("module-prefix", GROUP + "m = DDP(net)\ntorch.save(m.module.state_dict(), p)\n"),
    ("module-prefix", GROUP + "m = DDP(net)\nm = m.module\ntorch.save(m.state_dict(), p)\n"),
    ("module-prefix", GROUP + "m = net()\ntorch.save(m.state_dict(), p)\nd = DDP(m)\n"),
    (
        "module-prefix",
        GROUP
        + "m = DDP(net)\nw = m.module.state_dict() if hasattr(m, 'module') else m.state_dict()\n"
        + "torch.save(w, p)\n",
    ),
    ("module-prefix", GROUP + "m = DDP(net)\nbest = m.state_dict()\ntorch.save(x, p)\n"),
    ("whole-model-saved", GROUP + "m = DDP(net)\n▸torch.save(m, p)\n"),
    (
        "whole-model-saved",
        "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    pass\n"
        "m = Net().to(d)\n▸torch.save(m, p)\n",
    ),
    ("whole-model-saved", "import torch\ndef save(model):\n    ▸torch.save(model, p)\n"),
    ("whole-model-saved", "import torch\ndef save(weights):\n    torch.save(weights, p)\n"),
    ("whole-model-saved", "import torch\ntorch.save(m.state_dict(), p)\ntorch.save({'a': m}, p)\n"),
]

MODEL_FN = "import torch\ndef model_fn(model_dir):\n    m = Net()\n"
LOADED = "    m.load_state_dict(torch.load(p, map_location='cpu', weights_only=True))\n"
LOADING = [
    ("no-map-location", MODEL_FN + "    m.load_state_dict(▸torch.load(p))\n    return m.eval()\n"),
    ("no-map-location", MODEL_FN + "    return ▸torch.jit.load(p)\n"),
    ("no-map-location", "import torch\nw = ▸torch.load(p)\nm.load_state_dict(w['model'])\n"),
    (
        "no-map-location",
        "import torch\ndef model_fn(d):\n    return load(d)\n"
        "def load(d):\n    return ▸torch.load(d)\n",
    ),
    ("no-map-location", MODEL_FN + LOADED),
    ("no-map-location", MODEL_FN + "    return torch.load(p, 'cpu')\n"),
    ("no-map-location", MODEL_FN + "    return torch.load(p, **options)\n"),
    ("no-map-location", "import torch\nrows = torch.load(p)\n"),
    ("no-map-location", "import io, torch\nm.load_state_dict(torch.load(io.BytesIO(b)))\n"),
    ("no-weights-only", MODEL_FN + "    return ▸torch.load(p, 'cpu')\n"),
    ("no-weights-only", MODEL_FN + LOADED),
    ("no-weights-only", "import torch\nx = torch.load(p)\n"),
    ("closed-file", "import torch\nwith open(p) as f:\n    pass\nx = ▸torch.load(f)\n"),
    (
        "closed-file",
        "import json\ndef g():\n    with open(p) as f:\n        f.read()\n    ▸json.load(f)\n",
    ),
    ("closed-file", "import json\nwith open(p) as f:\n    json.load(f)\n"),
    ("closed-file", "import json\nwith open(p) as f:\n    pass\nf = open(p)\njson.load(f)\n"),
    ("closed-file", "import json\nwith open(p) as f:\n    pass\ndef g(f):\n    json.load(f)\n"),
    (
        "no-eval",
        "▸".join(MODEL_FN.split("def", 1)).replace("▸", "▸def") + LOADED + "    return m\n",
    ),
    ("no-eval", MODEL_FN + LOADED + "    return m.eval()\n"),
    ("no-eval", MODEL_FN + LOADED + "    m.train(False)\n    return m\n"),
    ("no-eval", MODEL_FN + LOADED + "    return m\ndef predict_fn(x, m):\n    m.eval()\n"),
    ("no-eval", "def model_fn(model_dir):\n    return Classifier.load(model_dir)\n"),
    ("data-parallel-for-keys", MODEL_FN + "    return ▸torch.nn.DataParallel(m).eval()\n"),
    ("data-parallel-for-keys", MODEL_FN + "    return m\nm = torch.nn.DataParallel(m)\n"),
]


@pytest.mark.parametrize(("rule", "snippet"), [*PATHS, *HOSTS, *SAVING, *LOADING])
def test_a_rule_finds_the_marked_places_and_no_other(
    rule: str, snippet: str, tmp_path: Path
) -> None:
    assert_found(rule, snippet, tmp_path)


def test_a_path_of_another_machine_weighs_more_than_a_relative_one(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(JOB + "x = open('/home/ada/x.csv')\ny = open('x.csv')\n")

    found = findings(path, rule="hard-coded-data-path")

    assert [each.severity for each in found] == [Severity.ERROR, Severity.WARNING]


def test_a_default_that_the_project_overrides_is_no_matter(tmp_path: Path) -> None:
    snippet = ARGS + "p.add_argument('--data', default='d')\na = p.parse_args()\nnp.load(a.data)\n"

    assert_found(
        "hard-coded-data-path", snippet, tmp_path, project=a_project(tmp_path, data="s3://b/k")
    )


def test_several_hosts_make_a_hint_a_warning(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(JOB)

    (found,) = findings(tmp_path / "train.py", a_project(tmp_path, hosts=2), "not-distributed")

    assert found.severity is Severity.WARNING
    assert "each of the 2 hosts" in found.message
