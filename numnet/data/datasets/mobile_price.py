"""The phone prices of the fourth tutorial."""

from __future__ import annotations

import csv
import os

import numpy as np

from ...errors import DataError
from ..tensor_dataset import TensorDataset
from .files import folder_of

__all__ = ["MobilePrice"]

NAME = "mobile_price.csv"


class MobilePrice(TensorDataset):
    """2,000 phones with 20 features each and the price range 0 … 3, 500 of each.

    The file is Kaggle's *Mobile Price Classification*, ``train.csv``, under the name ``mobile_price.csv``. Kaggle
    wants a login, so it cannot be downloaded from here.

    Args:
        root: the folder that holds it; ``None`` for the one that the environment variable NUMNET_DATA names.

    Attributes:
        tensors: x (2000, 20) float32 and y (2000,) int64.
        feature_names: of the columns of x.

    Raises:
        DataError: there is no such file, or a row in it that is not 21 numbers.
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        path = folder_of(root) / NAME
        if not path.is_file():
            cure = f"download train.csv of kaggle.com/iabhishekofficial/mobile-price-classification, as {path}"
            raise DataError(f"the file {path}", "there is none", cure)
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        numbers = np.empty((len(rows), len(head)))
        for line, row in enumerate(rows, 2):
            try:
                numbers[line - 2] = [float(value) for value in row]
            except ValueError as error:
                got = f"{len(row)} values, beginning {', '.join(row[:3])}: {error}"
                raise DataError(f"{len(head)} numbers in line {line} of {path}", got) from error
        self.feature_names = tuple(head[:-1])
        super().__init__(numbers[:, :-1].astype(np.float32), numbers[:, -1].astype(np.int64))

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """x (2000, 20) float32 and y (2000,) int64."""
        x, y = self.tensors
        return x, y
