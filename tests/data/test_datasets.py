"""MNIST, Fashion-MNIST, CIFAR-10 and the phone prices: what is in their files, and files that are not right."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numnet
from numnet import Tensor
from numnet.data import DataLoader, datasets, load_data_fashion_mnist, random_split, transforms
from numnet.data.datasets import mnist
from numnet.errors import DataError, DtypeError

Image = pytest.importorskip("PIL.Image", reason='Pillow is not installed: pip install ".[data]"')

NORMAL = [transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]


# ---------------------------------------------------------------------- the real ones


@pytest.mark.proves("C047")
@pytest.mark.parametrize(
    "train, histogram",
    [
        (True, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        (False, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ],
)
def test_mnist(data_folder: Path, train: bool, histogram: list[int]) -> None:
    dataset = datasets.MNIST(data_folder, train)
    assert (dataset.data.shape, dataset.data.dtype) == ((len(dataset), 28, 28), np.uint8)
    assert np.bincount(dataset.targets).tolist() == histogram
    image, label = dataset[0]
    assert (image.mode, image.size, label, type(label)) == ("L", (28, 28), 5 if train else 7, int)
    np.testing.assert_array_equal(np.asarray(image), dataset.data[0])
    assert abs(dataset.data.mean() / 255 - 0.1307) < 2e-3  # the mean that everybody normalises by
    assert len(dataset.classes) == 10
    assert dataset.classes[7] == "7 - seven"
    assert dataset.class_to_idx["7 - seven"] == 7
    assert f"({'train' if train else 'test'}), in {data_folder}" in repr(dataset)


@pytest.mark.proves("C047", "C048")
@pytest.mark.parametrize("train", [True, False])
def test_fashion_mnist(data_folder: Path, train: bool) -> None:
    dataset = datasets.FashionMNIST(data_folder, train=train)
    assert np.bincount(dataset.targets).tolist() == [6000 if train else 1000] * 10
    assert dataset.classes[dataset[0][1]] == "Ankle boot"
    assert dataset.classes == (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )


@pytest.mark.proves("C046", "C047", "C049")
def test_the_tutorials_batches(data_folder: Path) -> None:
    """Its transform, its batch size, its printed shape; and no download, since the files are there."""
    trainset = datasets.MNIST(data_folder, download=True, train=True, transform=transforms.Compose(NORMAL))
    trainloader = DataLoader(trainset, batch_size=64, shuffle=True)
    images, labels = next(iter(trainloader))
    assert (tuple(images.shape), tuple(labels.shape)) == ((64, 1, 28, 28), (64,))
    assert isinstance(images, Tensor)
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    assert (images.min().item(), images.max().item()) == (-1.0, 1.0)
    assert len(trainloader) == 938


@pytest.mark.proves("C048")
def test_load_data_fashion_mnist(data_folder: Path) -> None:
    numnet.manual_seed(0)
    train_iter, test_iter = load_data_fashion_mnist(256, root=data_folder)
    assert (len(train_iter), len(test_iter)) == (235, 40)
    x, y = next(iter(train_iter))
    assert (x.shape, x.dtype, y.shape) == ((256, 1, 28, 28), np.float32, (256,))
    assert (x.min().item(), x.max().item()) == (0, 1)
    first, again = next(iter(test_iter))[1], next(iter(test_iter))[1]
    assert first.tolist() == again.tolist() == datasets.FashionMNIST(data_folder, False).targets[:256].tolist()
    assert next(iter(train_iter))[1].tolist() != y.tolist()
    resized = next(iter(load_data_fashion_mnist(2, resize=96, root=data_folder)[1]))[0]
    assert resized.shape == (2, 1, 96, 96)
    picture = Image.fromarray(datasets.FashionMNIST(data_folder, False).data[1]).resize((96, 96), 2)
    np.testing.assert_array_equal(resized.numpy()[1, 0], np.asarray(picture, np.float32) / np.float32(255))


def test_the_subset_of_cifar(data_folder: Path) -> None:
    classes = (data_folder / "cifar10-subset" / "classes.txt").read_text().split()
    for train, each in ((True, 500), (False, 100)):
        dataset = datasets.CIFAR10(data_folder, train)
        assert list(dataset.classes) == classes
        assert (dataset.data.shape, dataset.data.dtype) == ((10 * each, 32, 32, 3), np.uint8)
        assert np.bincount(dataset.targets).tolist() == [each] * 10
        x, y = dataset.arrays()
        assert (x.shape, x.dtype, y.dtype) == ((10 * each, 3, 32, 32), np.float32, np.int64)
        image, label = dataset[3]
        assert (image.mode, image.size, label) == ("RGB", (32, 32), y[3])
        np.testing.assert_array_equal(transforms.ToTensor()(image).numpy(), x[3])


def test_phone_prices(data_folder: Path) -> None:
    dataset = datasets.MobilePrice(data_folder)
    x, y = dataset.arrays()
    assert (x.shape, x.dtype, y.dtype) == ((2000, 20), np.float32, np.int64)
    assert np.bincount(y).tolist() == [500] * 4
    assert (dataset.feature_names[0], dataset.feature_names[-1]) == ("battery_power", "wifi")
    assert x[0, 0] == 842
    assert dataset[0][1] == 1


def test_root_is_numnet_data_unless_given(data_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMNET_DATA", str(data_folder))
    assert datasets.MNIST(train=False).root == data_folder
    monkeypatch.setenv("NUMNET_DATA", str(tmp_path))
    with pytest.raises(DataError, match="download=True"):
        datasets.MNIST(train=False)
    monkeypatch.delenv("NUMNET_DATA")
    pooch = pytest.importorskip("pooch")
    assert mnist.folder_of(None) == Path(pooch.os_cache("numnet"))
    assert mnist.folder_of("~/data") == Path.home() / "data"


# ---------------------------------------------------------------------- small ones, written here


def idx(array: np.ndarray) -> bytes:
    """The format of MNIST, as its authors describe it: two zeros, 8 for bytes, the number of axes, lengths, bytes."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.astype(np.uint8).tobytes()


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A data set in the format of MNIST of 20 + 10 random images, its files in ``tmp_path``/mnist."""
    rng = np.random.default_rng(0)
    files = {}
    (tmp_path / "mnist").mkdir()
    for part, name, n in (("train", "train", 20), ("test", "t10k", 10)):
        arrays = {"images-idx3": rng.integers(0, 256, (n, 28, 28)), "labels-idx1": rng.integers(0, 10, n)}
        for kind, array in arrays.items():
            content = idx(array)
            packed = gzip.compress(content, mtime=0)
            name_of_file = f"{name}-{kind}-ubyte"
            (tmp_path / "mnist" / f"{name_of_file}.gz").write_bytes(packed)
            hashes = (hashlib.sha256(packed).hexdigest(), hashlib.sha256(content).hexdigest())
            files[f"{part} {kind[:6]}"] = mnist.File(name_of_file, *hashes, len(content))
    monkeypatch.setattr(datasets.MNIST, "_files", files)
    return lambda *args, **kwargs: datasets.MNIST(tmp_path, *args, **kwargs)


def test_files_packed_or_not_in_every_place(digits: Any, tmp_path: Path) -> None:
    expected = digits().data
    assert expected.shape == (20, 28, 28)
    assert digits(False).data.shape == (10, 28, 28)
    for packed in (tmp_path / "mnist").glob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    np.testing.assert_array_equal(digits().data, expected)
    for place in ("MNIST/raw", "elsewhere"):  # torchvision's; and the folder named itself
        (tmp_path / place).parent.mkdir(exist_ok=True)
        shutil.copytree(tmp_path / "mnist", tmp_path / place)
    shutil.rmtree(tmp_path / "mnist")
    np.testing.assert_array_equal(digits().data, expected)
    np.testing.assert_array_equal(datasets.MNIST(tmp_path / "elsewhere").data, expected)


def test_transforms_of_images_and_labels(digits: Any) -> None:
    dataset = digits(transform=transforms.ToTensor(), target_transform=lambda label: label + 100)
    x, label = dataset[-1]
    np.testing.assert_array_equal(x.numpy()[0], dataset.data[-1] / np.float32(255))
    assert label == dataset.targets[-1] + 100
    assert repr(dataset).endswith("transform: ToTensor()")
    with pytest.raises(IndexError):
        dataset[20]


def test_arrays_are_those_of_to_tensor_and_ones_own(digits: Any) -> None:
    dataset = digits(transform=transforms.ToTensor())
    x, y = dataset.arrays()
    assert (x.shape, x.dtype, y.dtype) == ((20, 1, 28, 28), np.float32, np.int64)
    np.testing.assert_array_equal(x, np.stack([image.numpy() for image, _ in dataset]))
    x[:], y[:] = 0, 0
    assert dataset.data.any()
    assert dataset.targets.any()
    dataset.data[0] = 7  # they may be written into
    assert dataset[0][0].max().item() == np.float32(7) / np.float32(255)


class OneByOne(datasets.MNIST):
    """A sample by itself, as any data set without a fast way."""

    def __getitem__(self, index: int) -> Any:
        return super().__getitem__(index)


@pytest.mark.parametrize("steps", [NORMAL[:1], NORMAL, [*NORMAL, transforms.Normalize(0.1, 0.3)]])
@pytest.mark.parametrize("composed", [True, False])
def test_batches_made_at_once_have_the_bits_of_those_made_one_by_one(
    digits: Any, tmp_path: Path, steps: list[Any], composed: bool
) -> None:
    transform = transforms.Compose(steps) if composed else steps[0]
    for dataset in (digits(transform=transform), random_split(digits(transform=transform), [0.5, 0.5])[1]):
        assert dataset.gather([0]) is not NotImplemented
        slow = OneByOne(tmp_path, transform=transform)
        assert slow.gather([0]) is NotImplemented
        rows = getattr(dataset, "indices", np.arange(20)).tolist()
        at_once, one_by_one = (
            DataLoader(dataset, 6),
            DataLoader(slow, batch_sampler=[rows[:6], rows[6:12], rows[12:18]]),
        )
        for (x, y), (a, b) in zip(at_once, one_by_one, strict=False):
            assert isinstance(x, Tensor)
            assert isinstance(y, Tensor)
            assert (x.dtype, y.dtype) == (a.dtype, b.dtype)
            np.testing.assert_array_equal(x.numpy(), a.numpy())
            np.testing.assert_array_equal(y.numpy(), b.numpy())


def test_batches_made_at_once_take_less_than_a_fifth_of_the_time(digits: Any, tmp_path: Path) -> None:
    """Some fortieth, as a rule."""
    rows = list(range(20)) * 10

    def best(dataset: Any) -> float:
        def seconds() -> float:
            start = time.perf_counter()
            next(iter(DataLoader(dataset, batch_sampler=[rows])))
            return time.perf_counter() - start

        return min(seconds() for _ in range(7))

    transform = transforms.Compose(NORMAL)
    assert best(digits(transform=transform)) < best(OneByOne(tmp_path, transform=transform)) / 5


def test_a_batch_of_pictures_without_a_transform_is_refused_with_the_cure(digits: Any) -> None:
    with pytest.raises(DtypeError, match=r"transform=transforms\.ToTensor\(\)"):
        next(iter(DataLoader(digits(), 4)))


class Doubled(transforms.Normalize):
    """A transform of one's own."""

    def __call__(self, image: Any) -> Any:
        return super().__call__(image) * 2


@pytest.mark.parametrize(
    "transform",
    [
        None,
        transforms.Compose([transforms.RandomHorizontalFlip(), *NORMAL]),
        transforms.Compose([*NORMAL, transforms.RandomErasing()]),
        transforms.Compose([transforms.ToTensor(), Doubled(0.5, 0.5)]),
        transforms.Compose([]),
        lambda image: np.asarray(image),
    ],
)
def test_other_transforms_go_the_long_way(digits: Any, transform: Any) -> None:
    assert digits(transform=transform).gather([0, 1]) is NotImplemented
    assert digits(transform=NORMAL[0], target_transform=str).gather([0, 1]) is NotImplemented


def test_a_wrong_transform_is_named_in_a_batch(digits: Any) -> None:
    wrong = transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    for steps in ([NORMAL[0], wrong], [transforms.RandomVerticalFlip(), NORMAL[0], wrong]):
        with pytest.raises(ValueError, match=r"which has 1") as raised:
            next(iter(DataLoader(digits(transform=transforms.Compose(steps)), 4)))
        assert "Normalize(mean=(0.5, 0.5, 0.5)" in str(raised.value)


# ---------------------------------------------------------------------- files that are not right


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def repacked(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change_file(path: Path) -> None:
        path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))

    return change_file


@pytest.mark.proves("C047")
@pytest.mark.parametrize(
    "damage, words",
    [
        (shortened, "cannot be unpacked"),
        (lambda path: path.write_bytes(b"<html>not found</html>"), "22 bytes that cannot be unpacked"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:30] + b"\0\0\0" + path.read_bytes()[33:]),
            "cannot be unpacked",
        ),
        (repacked(lambda content: content[:-1]), "15695 bytes: it is cut short"),
        (repacked(lambda content: content + b"0"), "15697 bytes: it is another file"),
        (repacked(lambda content: content[:-1] + bytes([content[-1] ^ 1])), "altered, or another file"),
        (lambda path: path.write_bytes(b""), "bytes"),
    ],
)
def test_a_damaged_file_is_refused_by_name(digits: Any, tmp_path: Path, damage: Any, words: str) -> None:
    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    damage(path)
    with pytest.raises(DataError) as raised:
        digits(download=True)  # and nothing is fetched in its place unasked
    assert words in str(raised.value)
    assert f"delete {path}, and download it again" in str(raised.value)
    digits(False)


@pytest.mark.proves("C047")
def test_a_missing_file_is_named_with_its_cure(digits: Any, tmp_path: Path) -> None:
    (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError) as raised:
        digits()
    for words in ("train-labels-idx1-ubyte.gz", str(tmp_path), "MNIST/raw", "download=True", "root="):
        assert words in str(raised.value)


@pytest.mark.proves("C047")
@pytest.mark.parametrize(
    "content, words",
    [
        (idx(np.zeros((2, 3))), "2050"),
        (b"\0\0\x08\x03\0\0", "6 bytes in all"),
        (idx(np.zeros((4, 2, 2)))[:-1], "16 bytes behind its head, which says shape (4, 2, 2)"),
        (idx(np.zeros((4, 2, 2))) + b"0", "17"),
    ],
)
def test_the_idx_reader_checks_magic_number_and_lengths(content: bytes, words: str) -> None:
    with pytest.raises(DataError) as raised:
        mnist._idx(content, mnist.IMAGES, "train-images")
    assert words in str(raised.value)
    assert "train-images" in str(raised.value)


@pytest.mark.proves("C047")
def test_the_idx_reader_reads_what_was_written() -> None:
    images, labels = np.arange(24).reshape(2, 3, 4), np.arange(5)
    np.testing.assert_array_equal(mnist._idx(idx(images), mnist.IMAGES, ""), images)
    np.testing.assert_array_equal(mnist._idx(idx(labels), mnist.LABELS, ""), labels)


def records(n: int, seed: int = 0) -> bytes:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 256, (n, 3073), np.uint8)
    table[:, 0] = np.arange(n) % 10
    return table.tobytes()


def test_cifar_in_its_authors_format(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for n in range(1, 6):
        (folder / f"data_batch_{n}.bin").write_bytes(records(10000, n))
    dataset = datasets.CIFAR10(tmp_path)
    assert dataset.data.shape == (50000, 32, 32, 3)
    third = np.frombuffer(records(10000, 3), np.uint8).reshape(-1, 3073)
    assert dataset.data[20007, 5, 9].tolist() == [third[7, 1 + plane * 1024 + 5 * 32 + 9] for plane in range(3)]
    assert dataset.targets[20007] == 7
    with pytest.raises(DataError, match=r"test_batch\.bin"):
        datasets.CIFAR10(tmp_path, train=False)
    (folder / "data_batch_4.bin").write_bytes(records(9999))
    with pytest.raises(DataError, match=r"data_batch_4.bin with 10000 records(.|\n)*cut short"):
        datasets.CIFAR10(tmp_path)


@pytest.mark.parametrize(
    "content, words",
    [
        (gzip.compress(records(3)[:-1]), "cut short"),
        (gzip.compress(records(4)), "too much"),
        (gzip.compress(records(2) + b"\x0b" + records(1)[1:]), "label 11 in record 2"),
        (gzip.compress(records(3))[:-9], "cannot be unpacked"),
    ],
)
def test_a_damaged_subset_of_cifar_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "cifar10-subset" / "train-3.bin.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(records(3)))
    assert len(datasets.CIFAR10(tmp_path)) == 3
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        datasets.CIFAR10(tmp_path)
    assert words in str(raised.value)
    assert str(path) in str(raised.value)


class Bomb:
    def __reduce__(self) -> Any:
        return pytest.fail, ("a pickle was loaded",)


def test_the_pickled_version_of_cifar_is_refused_unread(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError) as raised:
        datasets.CIFAR10(tmp_path)
    assert "a pickle and could run code" in str(raised.value)
    assert "cifar-10-binary.tar.gz" in str(raised.value)


HEAD = ",".join([*(f"f{n}" for n in range(20)), "price_range"])
ROW = ",".join(["1"] * 21)


@pytest.mark.parametrize(
    "lines, words",
    [
        ([], "0 rows and 0 columns"),
        ([HEAD] + [ROW] * 1600, "1600 rows and 21 columns"),
        ([HEAD.replace("price_range", "price")] + [ROW] * 2000, "the last 'price'"),
        ([HEAD] + [ROW] * 7 + ["1"] + [ROW] * 1992, "in line 9"),
        ([HEAD] + [ROW] * 7 + [ROW.replace("1,1", "1,x", 1)] + [ROW] * 1992, "beginning 1, x, 1"),
        ([HEAD] + [ROW] * 7 + [ROW.replace("1,1", "1,nan", 1)] + [ROW] * 1992, "line 9"),
        ([HEAD] + [ROW] * 7 + [f"{ROW[:-1]}4"] + [ROW] * 1992, "1, 1, 1, …, 4"),
        ([HEAD] + [ROW] * 7 + [f"{ROW[:-1]}1.5"] + [ROW] * 1992, "a price range 0, 1, 2 or 3 in line 9"),
    ],
)
def test_a_damaged_table_is_refused_by_line(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(DataError, match=r"kaggle\.com"):
        datasets.MobilePrice(tmp_path)
    path = tmp_path / "mobile_price.csv"
    path.write_text("\n".join([HEAD] + [ROW] * 2000))
    assert len(datasets.MobilePrice(tmp_path)) == 2000
    path.write_text("\n".join(lines))
    with pytest.raises(DataError) as raised:
        datasets.MobilePrice(tmp_path)
    assert words in str(raised.value)
    assert str(path) in str(raised.value)
    path.write_bytes(bytes(range(128, 256)) * 50)
    with pytest.raises(DataError, match="UTF-8"):
        datasets.MobilePrice(tmp_path)
