"""What AWS's PyTorch images bring, by the names of modules, and where names differ.

From the Dockerfiles of pytorch-training and pytorch-inference 2.5 and 2.6 for SageMaker
(github.com/aws/deep-learning-containers), with what those packages bring along for certain.
"""

from __future__ import annotations

import re
import sys

_BOTH = """
    IPython OpenSSL PIL awscli boto3 botocore certifi charset_normalizer cryptography cv2 cython
    dateutil filelock fsspec h5py idna jinja2 jmespath joblib markupsafe matplotlib mpmath networkx
    numpy packaging pandas pip pkg_resources psutil pytz requests s3transfer scipy setuptools six
    sklearn sympy threadpoolctl torch torchaudio torchdata torchtext torchvision tqdm
    triton typing_extensions urllib3 yaml
"""
_TRAINING = """
    accelerate attr blis bokeh click cloudpickle fastai fastcore google huggingface_hub imageio
    ipykernel llvmlite mpi4py numba plotly pybind11 pydantic rich s3torchconnector safetensors
    sagemaker sagemaker_pytorch_container sagemaker_training seaborn shap smclarify smexperiments
    spacy thinc torchtnt typer
"""
_SERVING = """
    captum model_archiver pynvml sagemaker_inference sagemaker_pytorch_serving_container ts
"""

TRAINING = frozenset((_BOTH + _TRAINING).split())
SERVING = frozenset((_BOTH + _SERVING).split())

# A module -> the distributions that bring it, where the names differ by more than `-` and `_`.
DISTRIBUTIONS = {
    "Bio": ("biopython",),
    "Crypto": ("pycryptodome",),
    "Levenshtein": ("levenshtein", "python-levenshtein"),
    "PIL": ("pillow", "pillow-simd"),
    "attr": ("attrs",),
    "bs4": ("beautifulsoup4", "bs4"),
    "cv2": (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
    "dateutil": ("python-dateutil",),
    "docx": ("python-docx",),
    "dotenv": ("python-dotenv",),
    "faiss": ("faiss-cpu", "faiss-gpu"),
    "ffmpeg": ("ffmpeg-python",),
    "fitz": ("pymupdf",),
    "git": ("gitpython",),
    "jwt": ("pyjwt",),
    "magic": ("python-magic",),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "slugify": ("python-slugify",),
    "tree": ("dm-tree",),
    "umap": ("umap-learn",),
    "yaml": ("pyyaml",),
    "zmq": ("pyzmq",),
}

NOT_DISTRIBUTIONS = {
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "pil": "pillow",
    "pytorch": "torch",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""Names that people write into requirements.txt, which are modules, and what they mean by them."""

_NAMESPACES = frozenset(
    {"__main__", "azure", "google", "mpl_toolkits", "nvidia", "ruamel", "sphinxcontrib"}
)


def normal(distribution: str) -> str:
    """Return a distribution's name in the one form that all its spellings have (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def is_known(module: str, image: frozenset[str]) -> bool:
    """Whether a module needs no requirement: Python's own, the image's, or one of many owners."""
    return module in sys.stdlib_module_names or module in image or module in _NAMESPACES


def distributions_of(module: str) -> tuple[str, ...]:
    """Return the normal names of distributions that bring a module."""
    return DISTRIBUTIONS.get(module, (normal(module),))
