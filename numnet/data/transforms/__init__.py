"""Transforms of images, on Pillow's images and on arrays and Tensors (…, C, H, W), by torchvision's names."""

from __future__ import annotations

from ...errors import unknown_names
from .colour import ColorJitter, Grayscale
from .compose import Compose, Lambda, RandomApply, RandomChoice
from .convert import Normalize, PILToTensor, ToTensor
from .erase import RandomErasing
from .sizes import CenterCrop, InterpolationMode, Pad, RandomCrop, RandomResizedCrop, Resize
from .turns import RandomAffine, RandomHorizontalFlip, RandomRotation, RandomVerticalFlip

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "Grayscale",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandomAffine",
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

__getattr__ = unknown_names(__name__)
