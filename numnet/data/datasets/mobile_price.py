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
        DataError: there is no such file, it is no text, or a row in it is not 20 numbers and a price range.
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        path = folder_of(root) / NAME
        if not path.is_file():
            cure = f"download train.csv of kaggle.com/iabhishekofficial/mobile-price-classification, as {path}"
            raise DataError(f"the file {path}", "there is none", cure)
        try:
            with path.open(encoding="utf-8", newline="") as file:
                head, *rows = list(csv.reader(file)) or [[]]
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path} as a table in text, UTF-8", str(error), "download it again") from error
        if (len(head), head[-1:], len(rows)) != (21, ["price_range"], 2000):
            got = f"{len(rows)} rows and {len(head)} columns, the last {head[-1] if head else ''!r}"
            raise DataError(f"{path} with 2000 rows and 21 columns, the last 'price_range'", got, "download it again")
        numbers = np.empty((2000, 21))
        for line, row in enumerate(rows, 2):
            try:
                if len(row) != 21:
                    raise ValueError("too few or too many")
                numbers[line - 2] = [float(value) for value in row]
            except ValueError as error:
                got = f"{len(row)} values, beginning {', '.join(row[:3])}: {error}"
                raise DataError(f"21 numbers in line {line} of {path}", got, "download it again") from error
            if not np.isfinite(numbers[line - 2]).all() or numbers[line - 2, -1] not in range(4):
                got = f"{', '.join(row[:3])}, …, {row[-1]}"
                expected = f"20 finite numbers and a price range 0, 1, 2 or 3 in line {line} of {path}"
                raise DataError(expected, got, "download it again")
        self.feature_names = tuple(head[:-1])
        super().__init__(numbers[:, :-1].astype(np.float32), numbers[:, -1].astype(np.int64))

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """x (2000, 20) float32 and y (2000,) int64."""
        x, y = self.tensors
        return x, y
