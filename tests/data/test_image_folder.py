"""ImageFolder: classes, order, what is passed over, what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numnet
from numnet.data import DataLoader, ImageFolder, datasets, transforms
from numnet.data.datasets.image_folder import _natural
from numnet.errors import DataError

Image = pytest.importorskip("PIL.Image", reason='Pillow is not installed: pip install ".[data]"')


def draw(path: Path, colour: tuple[int, int, int] = (10, 20, 30), size: tuple[int, int] = (8, 6)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """The tutorial's folder: root/dog/… and root/cat/…, with what else is found in folders."""
    for name in ("xxx", "xxy", "xxz"):
        draw(tmp_path / "dog" / f"{name}.png")
    for name in ("123", "nsdf3", "asd932_"):
        draw(tmp_path / "cat" / f"{name}.png", (200, 100, 0))
    draw(tmp_path / ".ipynb_checkpoints" / "x.png")
    draw(tmp_path / "cat" / ".thumbnails" / "x.png")
    draw(tmp_path / "cat" / "._123.png")
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    (tmp_path / "README.md").write_text("no class")
    return tmp_path


def names(dataset: ImageFolder) -> list[str]:
    return [Path(path).name for path, _ in dataset.samples]


@pytest.mark.proves("C043")
def test_dogs_and_cats(pets: Path) -> None:
    dataset = datasets.ImageFolder(pets)
    assert dataset.classes == ["cat", "dog"]
    assert dataset.class_to_idx == {"cat": 0, "dog": 1}
    assert names(dataset) == ["123.png", "asd932_.png", "nsdf3.png", "xxx.png", "xxy.png", "xxz.png"]
    assert dataset.targets == [0, 0, 0, 1, 1, 1] == [label for _, label in dataset.imgs]
    assert len(dataset) == 6
    image, label = dataset[5]
    assert (image.mode, image.size, image.getpixel((0, 0)), label) == ("RGB", (8, 6), (10, 20, 30), 1)
    assert repr(dataset) == f"ImageFolder: 6 images of 2 classes, in {pets}"


@pytest.mark.proves("C043")
def test_a_class_without_images_is_named(pets: Path) -> None:
    (pets / "bird").mkdir()
    (pets / "bird" / "notes.txt").write_text("none yet")
    with pytest.raises(DataError) as raised:
        ImageFolder(pets)
    assert "of class 'bird'" in str(raised.value)
    assert str(pets / "bird") in str(raised.value)
    assert ".png" in str(raised.value)


@pytest.mark.parametrize("given, words", [("", "none in"), ("none", "not there"), ("README.md", "a file")])
def test_a_folder_without_classes_is_refused(tmp_path: Path, given: str, words: str) -> None:
    draw(tmp_path / "a.png")
    (tmp_path / "README.md").write_text("")
    with pytest.raises(DataError) as raised:
        ImageFolder(tmp_path / given)
    assert words in str(raised.value)
    assert str(tmp_path / given) in str(raised.value)


@pytest.mark.proves("C044")
def test_transform_target_transform_and_loader(pets: Path) -> None:
    dataset = ImageFolder(pets, transforms.ToTensor(), lambda label: -label)
    x, label = dataset[5]
    assert (x.shape, x.dtype, label) == ((3, 6, 8), np.float32, -1)
    np.testing.assert_array_equal(x.numpy()[:, 0, 0], np.float32([10, 20, 30]) / np.float32(255))
    assert "transform: ToTensor()" in repr(dataset)
    loaded = []

    def loader(path: str) -> str:
        loaded.append(path)
        return Path(path).stem

    assert ImageFolder(pets, loader=loader)[0] == ("123", 0)
    assert loaded == [str(pets / "cat" / "123.png")]
    assert ImageFolder(pets, str.upper, None, loader)[2][0] == "NSDF3"


def test_is_valid_file_decides(pets: Path) -> None:
    assert len(ImageFolder(pets, is_valid_file=lambda path: "notes" in path or "123" in path)) == 2
    with pytest.raises(DataError, match="that is_valid_file takes of class 'cat'"):
        ImageFolder(pets, is_valid_file=lambda path: "xx" in path)


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".PPM", ".bmp", ".pgm", ".tif", ".TIFF", ".webp"])
def test_files_by_extension(tmp_path: Path, suffix: str) -> None:
    draw(tmp_path / "a" / "x.png")
    (tmp_path / "a" / "x.png").rename(tmp_path / "a" / f"x{suffix}")
    assert ImageFolder(tmp_path)[0][0].size == (8, 6)


@pytest.mark.proves("C043")
def test_natural_order_on_request(tmp_path: Path) -> None:
    for name in ("img10", "img2", "img1", "img02", "Img3", "imgx"):
        draw(tmp_path / "class 10" / f"{name}.png")
    draw(tmp_path / "class 9" / "a.png")
    by_letters, natural = ImageFolder(tmp_path), ImageFolder(tmp_path, natural_order=True)
    assert by_letters.classes == ["class 10", "class 9"]
    assert names(by_letters)[:3] == ["Img3.png", "img02.png", "img1.png"]
    assert natural.classes == ["class 9", "class 10"]
    assert names(natural) == [
        "a.png",
        *(f"{n}.png" for n in ("Img3", "img1", "img02", "img2", "img10", "imgx")),
    ]
    assert natural.targets == [0, 1, 1, 1, 1, 1, 1]


@given(st.lists(st.text(), max_size=6))
def test_any_names_have_a_natural_order(found: list[str]) -> None:
    once = sorted(found, key=_natural)
    backwards = once[::-1]
    backwards.sort(key=_natural)
    assert backwards == once


@given(st.lists(st.integers(0, 10**6)))
def test_natural_order_of_numbers_is_theirs(numbers: list[int]) -> None:
    assert sorted((f"img{n}.png" for n in numbers), key=_natural) == [f"img{n}.png" for n in sorted(numbers)]


def test_folders_within_a_class_belong_to_it(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/1.png", "a/deep/er/3.png", "z.png"):
        draw(tmp_path / "all" / name)
    assert names(ImageFolder(tmp_path)) == ["z.png", "3.png", "1.png", "2.png"]


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "altered"])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_file_that_is_no_image_is_named_when_it_is_read(tmp_path: Path, damage: str, suffix: str) -> None:
    good, bad = tmp_path / "a" / f"good{suffix}", tmp_path / "a" / f"bad{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    good.parent.mkdir()
    Image.fromarray(noise).save(good)
    content = good.read_bytes()
    broken = {"cut": content[: len(content) // 2], "text": b"no image", "empty": b"", "altered": b"\0\0" + content[2:]}
    bad.write_bytes(broken[damage])
    dataset = ImageFolder(tmp_path)
    with pytest.raises(DataError) as raised:
        dataset[0]
    assert str(bad) in str(raised.value)
    assert dataset[1][0].size == (40, 40)
    with pytest.raises(DataError, match="bad") as of_loader:
        list(DataLoader(ImageFolder(tmp_path, transforms.ToTensor())))
    assert "sample 0 of ImageFolder" in str(of_loader.value.__notes__) or "[0]" in str(of_loader.value.__notes__)


def test_the_loader_closes_what_it_opens(pets: Path) -> None:
    """A file left open would warn when it is collected, which is an error here; on Windows it could not be removed."""
    dataset = ImageFolder(pets)
    images = [image for image, _ in dataset]
    shutil.rmtree(pets / "cat")
    assert [image.getpixel((7, 5)) for image in images] == [(200, 100, 0)] * 3 + [(10, 20, 30)] * 3


def test_a_cameras_orientation_is_not_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    (tmp_path / "a").mkdir()
    Image.new("RGB", (8, 6)).save(tmp_path / "a" / "x.jpg", exif=exif)
    assert ImageFolder(tmp_path)[0][0].size == (8, 6)


def test_images_come_in_rgb_whatever_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for mode in ("1", "L", "P", "RGBA", "LA"):
        Image.new("L", (4, 4), 255).convert(mode).save(tmp_path / "a" / f"{mode}.png")
    assert {(image.mode, image.getpixel((0, 0))) for image, _ in ImageFolder(tmp_path)} == {("RGB", (255, 255, 255))}


@pytest.mark.proves("C043", "C044", "C045")
@pytest.mark.parametrize("num_workers", [2])
def test_photos_augmented_are_the_same_for_any_number_of_workers(data_folder: Path, num_workers: int) -> None:
    augment = transforms.Compose(
        [
            transforms.RandomResizedCrop(32),
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(15),
            transforms.ColorJitter(0.2, 0.2, 0.2, 0.1),
            transforms.ToTensor(),
            transforms.RandomErasing(),
        ]
    )
    dataset = ImageFolder(data_folder / "images", augment)
    assert dataset.classes == ["fork", "hemlock", "japanese_cherry", "scissors"]
    assert np.bincount(dataset.targets).tolist() == [20, 6, 5, 20]

    def epochs(workers: int) -> list[np.ndarray]:
        numnet.manual_seed(0)
        loader = DataLoader(dataset, 16, shuffle=True, num_workers=workers)
        return [x.numpy() for _ in range(2) for x, _ in loader]

    here, there = epochs(0), epochs(num_workers)
    assert [x.shape for x in here[:4]] == [(16, 3, 32, 32)] * 3 + [(3, 3, 32, 32)]
    assert all(np.array_equal(a, b) for a, b in zip(here, there, strict=True))
    assert not np.array_equal(here[0], here[4])


def test_a_photo_and_its_pixels(data_folder: Path) -> None:
    image, label = ImageFolder(data_folder / "images")[0]
    assert (image.size, label) == ((816, 612), 0)
    x: Any = transforms.PILToTensor()(image)
    assert x.shape == (3, 612, 816)
    np.testing.assert_array_equal(x.numpy()[:, 5, 9], image.getpixel((9, 5)))
