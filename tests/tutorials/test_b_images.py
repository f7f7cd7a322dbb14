"""Section B of the tutorials' rows: a folder of images, as root/dog/xxx.png and root/cat/123.png."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numnet import Tensor, manual_seed
from numnet.data import DataLoader, ImageFolder, transforms
from numnet.errors import DataError

Image = pytest.importorskip("PIL.Image", reason='Pillow is not installed: pip install ".[data]"')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tutorial's dogs and cats, with what has no business there."""
    rng = np.random.default_rng(0)
    for name in (
        "dog/xxx.png",
        "dog/xxy.png",
        "cat/123.png",
        "cat/img10.png",
        "cat/img2.png",
        ".hidden/a.png",
        "cat/.b.png",
    ):
        path = tmp_path / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 10, 3), np.uint8)).save(path)
    (tmp_path / "pets" / "cat" / "notes.txt").write_text("not an image", encoding="utf-8")
    return tmp_path / "pets"


@pytest.mark.proves("C043")
def test_a_folder_for_every_class(root: Path) -> None:
    pets = ImageFolder(root)
    assert list(pets.classes) == ["cat", "dog"], "sorted, and the hidden folder passed over"
    assert pets.class_to_idx == {"cat": 0, "dog": 1}
    assert [Path(path).name for path, _ in pets.samples] == ["123.png", "img10.png", "img2.png", "xxx.png", "xxy.png"]
    assert list(pets.targets) == [0, 0, 0, 1, 1]
    image, label = pets[3]
    assert (image.size, image.mode, label) == ((10, 12), "RGB", 1)
    natural = ImageFolder(root, natural_order=True)
    assert [Path(path).name for path, label in natural.samples if label == 0] == ["123.png", "img2.png", "img10.png"]


@pytest.mark.proves("C043")
def test_an_empty_class_is_named(root: Path) -> None:
    (root / "parrot").mkdir()
    with pytest.raises(DataError, match="'parrot'"):
        ImageFolder(root)


@pytest.mark.proves("C044")
def test_transform_target_transform_and_loader(root: Path) -> None:
    seen: list[str] = []

    def loader(path: str) -> Any:
        seen.append(path)
        return Image.open(path).convert("L")

    pets = ImageFolder(root, transforms.ToTensor(), target_transform=lambda label: label + 10, loader=loader)
    x, label = pets[0]
    assert isinstance(x, Tensor)
    assert x.shape == (1, 12, 10)
    assert label == 10
    assert [Path(path).name for path in seen] == ["123.png"]
    pixels = np.asarray(ImageFolder(root)[0][0])
    np.testing.assert_array_equal(
        ImageFolder(root, transforms.ToTensor())[0][0].data, (pixels / 255).astype(np.float32).transpose(2, 0, 1)
    )


@pytest.mark.proves("C045")
def test_augmentation_is_seeded_and_the_same_for_any_number_of_workers(root: Path) -> None:
    augment = transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.RandomCrop(8, padding=2),
            transforms.RandomRotation(20),
            transforms.ToTensor(),
        ]
    )

    def epoch(workers: int, seed: int) -> np.ndarray:
        manual_seed(seed)
        loader = DataLoader(ImageFolder(root, augment), batch_size=2, shuffle=True, num_workers=workers)
        return np.concatenate([x.data for x, _ in loader])

    first = epoch(0, seed=1)
    assert first.shape == (5, 3, 8, 8)
    np.testing.assert_array_equal(epoch(0, seed=1), first)
    np.testing.assert_array_equal(epoch(2, seed=1), first)
    assert (epoch(0, seed=2) != first).any()


@pytest.mark.proves("C045")
def test_flips_and_crops_are_those_of_numpy(root: Path) -> None:
    image = ImageFolder(root)[0][0]
    pixels = np.asarray(image)
    np.testing.assert_array_equal(np.asarray(transforms.RandomHorizontalFlip(p=1)(image)), pixels[:, ::-1])
    np.testing.assert_array_equal(np.asarray(transforms.RandomVerticalFlip(p=1)(image)), pixels[::-1])
    np.testing.assert_array_equal(np.asarray(transforms.RandomHorizontalFlip(p=0)(image)), pixels)
    np.testing.assert_array_equal(np.asarray(transforms.CenterCrop(6)(image)), pixels[3:9, 2:8])
    np.testing.assert_array_equal(np.asarray(transforms.RandomRotation((180, 180))(image)), pixels[::-1, ::-1])
    crop = np.asarray(transforms.RandomCrop(6)(image))
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (6, 6, 3)).reshape(-1, 6, 6, 3)
    assert (windows == crop).all(axis=(1, 2, 3)).any(), "a part of the image, as it is"
