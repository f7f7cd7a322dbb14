"""Data sets: images to download once, and folders of one's own."""

from __future__ import annotations

from ...errors import unknown_names
from .cifar import CIFAR10
from .fashion import load_data_fashion_mnist
from .image_folder import ImageFolder, default_loader
from .mnist import MNIST, FashionMNIST
from .mobile_price import MobilePrice

__all__ = [
    "CIFAR10",
    "MNIST",
    "FashionMNIST",
    "ImageFolder",
    "MobilePrice",
    "default_loader",
    "load_data_fashion_mnist",
]

__getattr__ = unknown_names(__name__)
