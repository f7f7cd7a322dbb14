"""Data: samples by number, in batches, in a new order every epoch.

for x, y in DataLoader(TensorDataset(X, Y), batch_size=8, shuffle=True): ...
"""

from __future__ import annotations

from ..errors import unknown_names
from . import datasets, text, transforms
from .collate import default_collate, default_convert
from .dataset import ConcatDataset, Dataset, Subset
from .datasets import ImageFolder, load_data_fashion_mnist
from .loader import DataLoader
from .sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from .split import random_split
from .tensor_dataset import TensorDataset
from .workers import WorkerError

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "ImageFolder",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "WorkerError",
    "datasets",
    "default_collate",
    "default_convert",
    "load_data_fashion_mnist",
    "random_split",
    "text",
    "transforms",
]

__getattr__ = unknown_names(__name__)
