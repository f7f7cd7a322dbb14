"""Transforms of images, on Pillow's images and on arrays and Tensors (C, H, W), by torchvision's names."""

from __future__ import annotations

from .colour import ColorJitter, Grayscale
from .compose import Compose, Lambda, RandomApply, RandomChoice
from .convert import Normalize, PILToTensor, ToTensor
from .erase import RandomErasing
from .geometry import (
    CenterCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
)

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "Grayscale",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandomApply",
    "RandomChoice",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "ToTensor",
]
