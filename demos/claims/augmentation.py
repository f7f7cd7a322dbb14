"""Augmentation: one photograph, many pictures of the same thing, each epoch others, and the same again with the seed.

A net that sees every photograph flipped, cropped and turned at random learns what stays the same: the thing itself.

python demos/claims/augmentation.py [picture.png]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

import numnet
from numnet.data import DataLoader, Subset, datasets, transforms

PROVES = ("C045",)
DATA = ("images",)

photos = datasets.ImageFolder(Path(os.environ["NUMNET_DATA"]) / "images", transforms.Resize((120, 120)))
of_cherries = np.flatnonzero(np.equal(photos.targets, photos.class_to_idx["japanese_cherry"]))
photo, _ = photos[of_cherries[0]]

rng = np.random.default_rng(2)  # of this page's pictures; with a loader it is left out
each = {
    "the photograph": transforms.Compose([]),
    "RandomHorizontalFlip": transforms.RandomHorizontalFlip(1.0),
    "RandomVerticalFlip": transforms.RandomVerticalFlip(1.0),
    "RandomCrop": transforms.RandomCrop((90, 90), rng=rng),
    "RandomResizedCrop": transforms.RandomResizedCrop(120, scale=(0.2, 0.4), rng=rng),
    "CenterCrop": transforms.CenterCrop((90, 90)),
    "Pad, reflect": transforms.Pad(24, padding_mode="reflect"),
    "RandomRotation": transforms.RandomRotation((20, 40), "bilinear", rng=rng),
    "RandomAffine": transforms.RandomAffine(10, (0.1, 0.1), (0.6, 0.8), 20, "bilinear", fill=128, rng=rng),
    "ColorJitter, contrast": transforms.ColorJitter(brightness=(0.5, 0.6), contrast=(1.3, 1.5), rng=rng),
    "ColorJitter, hue": transforms.ColorJitter(hue=(0.3, 0.4), rng=rng),
    "Grayscale": transforms.Grayscale(3),
}
pictures = {name: transforms.ToTensor()(transform(photo)).numpy() for name, transform in each.items()}
pictures["RandomErasing"] = transforms.RandomErasing(1.0, (0.1, 0.2), rng=rng)(pictures["the photograph"])
before = pictures["the photograph"]
for name, picture in pictures.items():
    if picture.shape == before.shape:
        share, size = np.mean(picture != before), abs(picture - before).mean()
        print(f"{name:<22} {share:4.0%} of the numbers differ, by {size:.2f} in the mean")
    else:
        print(f"{name:<22} {picture.shape[1]} × {picture.shape[2]} pixels of {before.shape[1]} × {before.shape[2]}")

flip = transforms.RandomHorizontalFlip(0.5)
numnet.manual_seed(0)
flipped = [flip(before)[0, 0, 0] != before[0, 0, 0] for _ in range(1000)]
print(f"\nof 1000 photographs flipped with p = 0.5: {sum(flipped)}")

augmented = datasets.ImageFolder(
    photos.root,
    transforms.Compose(
        [
            transforms.RandomResizedCrop(64, scale=(0.4, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(15, "bilinear"),
            transforms.ColorJitter(0.2, 0.2, 0.2, 0.05),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    ),
)


def epochs(seed: int, num_workers: int = 0) -> list[np.ndarray]:
    """Two epochs of the photographs of cherries, (5, 3, 64, 64) each."""
    numnet.manual_seed(seed)
    loader = DataLoader(Subset(augmented, of_cherries), batch_size=5, num_workers=num_workers)
    return [x.numpy() for _ in range(2) for x, _ in loader]


first, second = epochs(0)
again, by_workers, otherwise = epochs(0), epochs(0, num_workers=2), epochs(1)
same_seed = all(np.array_equal(a, b) for a, b in zip((first, second), again, strict=True))
same_workers = all(np.array_equal(a, b) for a, b in zip((first, second), by_workers, strict=True))
alike = sum(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
print(f"photographs that look the same in two epochs: {alike} of {len(first)}")
print(f"the same seed, the same bits: {same_seed}; with two workers too: {same_workers}")
print(f"another seed, the same pictures: {np.array_equal(first, otherwise[0])}")
print(f"normalised from {first.min():.2f} to {first.max():.2f}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.6), layout="constrained")
    axes = figure.subplots(3, 6).ravel()
    several = {f"all at once, epoch {n}": x[0] / 2 + 0.5 for n, x in enumerate((first, second), 1)}
    several |= {f"all at once, seed {n}": epochs(n)[0][0] / 2 + 0.5 for n in (1, 2, 3)}
    for axis, (name, picture) in zip(axes, (pictures | several).items(), strict=True):
        axis.imshow(np.clip(picture, 0, 1).transpose(1, 2, 0))
        axis.set_title(name, fontsize=9)
        axis.axis("off")
    figure.savefig(sys.argv[1], dpi=80)

assert np.array_equal(pictures["RandomHorizontalFlip"], before[:, :, ::-1])
assert np.array_equal(pictures["RandomVerticalFlip"], before[:, ::-1])
assert np.array_equal(pictures["CenterCrop"], before[:, 15:105, 15:105])
assert 450 < sum(flipped) < 550
assert same_seed
assert same_workers
assert alike == 0
assert not np.array_equal(first, otherwise[0])
assert -1 <= first.min() < -0.9
assert 0.9 < first.max() <= 1
