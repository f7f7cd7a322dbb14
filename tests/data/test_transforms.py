"""Transforms of sizes and directions, and from pixels to numbers: held against NumPy, Pillow, SciPy and PyTorch."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numnet
from numnet import Tensor
from numnet.data import transforms as T  # noqa: N812
from numnet.errors import DtypeError, MissingExtraError, NumnetError, OptionError, ShapeError

Image = pytest.importorskip("PIL.Image", reason='Pillow is not installed: pip install ".[data]"')


def picture(height: int = 7, width: int = 10, channels: int = 3, seed: int = 0) -> Any:
    """Random pixels as an image of Pillow's."""
    shape = (height, width, channels) if channels > 1 else (height, width)
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))


def pixels(image: Any) -> np.ndarray:
    """(C, H, W) of an image of any kind."""
    if isinstance(image, Tensor):
        return image.numpy()
    if isinstance(image, np.ndarray):
        return image
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def kinds(image: Any) -> list[Any]:
    """The same pixels as an image of Pillow's, as an array, and as a Tensor."""
    return [image, pixels(image).copy(), Tensor(pixels(image).copy())]


def same(transform: Any, image: Any, expected: np.ndarray) -> None:
    """Every kind of the image comes out as expected, in its own kind, and is not written into."""
    for one in kinds(image):
        before = pixels(one).copy()
        got = transform(one)
        assert isinstance(got, Image.Image if isinstance(one, Image.Image) else type(one))
        np.testing.assert_array_equal(pixels(got), expected)
        np.testing.assert_array_equal(pixels(one), before)


# ---------------------------------------------------------------------- numbers


@pytest.mark.proves("C046")
def test_bytes_become_0_to_1_and_then_minus_1_to_1() -> None:
    image = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    x = T.ToTensor()(image)
    assert isinstance(x, Tensor)
    assert (x.shape, x.dtype) == ((1, 16, 16), np.float32)
    np.testing.assert_array_equal(x.numpy().ravel(), np.arange(256, dtype=np.float32) / np.float32(255))
    y = T.Compose([T.ToTensor(), T.Normalize((0.5,), (0.5,))])(image)
    assert (y.min().item(), y.max().item()) == (-1.0, 1.0)
    np.testing.assert_array_equal(y.numpy(), (x.numpy() - np.float32(0.5)) / np.float32(0.5))


@pytest.mark.proves("C046")
def test_the_bits_of_to_tensor_and_normalize_are_those_of_pytorchs_arithmetic(torch: ModuleType) -> None:
    """torchvision computes div(255), sub_(mean), div_(std) on float32."""
    image = picture(16, 16)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    theirs = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).contiguous().to(torch.float32).div(255)
    np.testing.assert_array_equal(T.ToTensor()(image).numpy(), theirs.numpy())
    as_tensors = (torch.tensor(mean)[:, None, None], torch.tensor(std)[:, None, None])
    theirs = theirs.sub_(as_tensors[0]).div_(as_tensors[1])
    ours = T.Normalize(mean, std)(T.ToTensor()(image))
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    "image, shape, dtype, most",
    [
        (picture(4, 5), (3, 4, 5), np.float32, 1),
        (picture(4, 5).convert("RGBA"), (4, 4, 5), np.float32, 1),
        (picture(4, 5).convert("1"), (1, 4, 5), np.float32, 1),
        (picture(4, 5).convert("I"), (1, 4, 5), np.int32, 255),
        (picture(4, 5).convert("F"), (1, 4, 5), np.float32, 255),
        (np.full((4, 5, 3), 255, np.uint8), (3, 4, 5), np.float32, 1),
        (np.full((4, 5), 7.5), (1, 4, 5), np.float64, 7.5),
    ],
)
def test_to_tensor_of_every_kind_of_image(image: Any, shape: Any, dtype: Any, most: float) -> None:
    x = T.ToTensor()(image)
    assert (x.shape, x.dtype) == (shape, dtype)
    assert 0 <= x.numpy().max() <= most
    assert x.numpy().flags.c_contiguous


def test_what_to_tensor_makes_is_its_own() -> None:
    array = np.zeros((2, 2))
    for transform in (T.ToTensor(), T.PILToTensor()):
        x = transform(array)
        x.data[...] = 1
    assert (array == 0).all()


def test_pil_to_tensor_leaves_bytes_bytes() -> None:
    image = picture()
    x = T.PILToTensor()(image)
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(x.numpy(), pixels(image))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalize_keeps_dtype_and_kind(dtype: Any) -> None:
    x = np.random.default_rng(0).random((5, 3, 4, 4)).astype(dtype)
    x.flags.writeable = False
    y = T.Normalize([0.1, 0.2, 0.3], [1, 2, 4])(x)
    assert isinstance(y, np.ndarray)
    assert y.dtype == dtype
    np.testing.assert_allclose(y[:, 2], (x[:, 2] - 0.3) / 4, rtol=1e-6)


@pytest.mark.parametrize(
    "transform, image, error, words",
    [
        (T.Normalize((0.5,), (0.5,)), picture(), DtypeError, "ToTensor() before Normalize"),
        (T.Normalize((0.5,), (0.5,)), np.zeros((1, 2, 2), np.uint8), DtypeError, "uint8 array of shape (1, 2, 2)"),
        (T.Normalize((0.5, 0.5), (0.5,)), np.zeros((3, 2, 2)), ShapeError, "which has 3"),
        (T.ToTensor(), Tensor(np.zeros((1, 2, 2))), DtypeError, "a Tensor already"),
        (T.ToTensor(), "cat.png", DtypeError, "str 'cat.png'"),
        (T.ToTensor(), np.zeros((1, 1, 2, 2)), ShapeError, "(H, W, C)"),
        (T.CenterCrop(2), np.zeros((4, 4)), ShapeError, "image[None]"),
        (T.Resize(2), "cat.png", DtypeError, "an image of Pillow's"),
        (T.RandomCrop(8), picture(7, 10), ShapeError, "7 × 10"),
        (T.RandomErasing(), picture(), DtypeError, "behind transforms.ToTensor()"),
        (T.Pad(1, fill=(1, 2)), picture(), ShapeError, "fill as one number, or as 3"),
        (T.Pad(7, padding_mode="reflect"), picture(), ShapeError, "more than 7"),
        (T.Resize(2), np.zeros((3, 0, 4)), ShapeError, "0 × 4"),
        (T.RandomResizedCrop(2), np.zeros((3, 4, 0)), ShapeError, "4 × 0"),
        (T.ColorJitter(0.5), picture().convert("P"), DtypeError, 'image.convert("RGB")'),
        (T.ColorJitter(0, 0.5), picture().convert("L").convert("F"), DtypeError, "mode F"),
    ],
)
def test_an_image_that_does_not_fit_is_refused_by_the_name_of_the_transform(
    transform: Any, image: Any, error: type[NumnetError], words: str
) -> None:
    with pytest.raises(error) as raised:
        transform(image)
    assert words in str(raised.value)
    assert repr(transform) in str(raised.value)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: T.Normalize((0.5,), (0.0,)), "std=(0.0,)"),
        (lambda: T.Normalize((0.5,), (float("nan"),)), "std=(nan,)"),
        (lambda: T.Normalize((float("inf"),), (1.0,)), "mean=(inf,)"),
        (lambda: T.Resize(0), "size=0"),
        (lambda: T.Resize((1, 2, 3)), "size=(1, 2, 3)"),
        (lambda: T.Resize(2.5), "size=2.5"),
        (lambda: T.Resize(8, "cubic"), "bicubic"),
        (lambda: T.Resize(8, max_size=8), "max_size=8"),
        (lambda: T.Resize((8, 8), max_size=9), "max_size=9"),
        (lambda: T.Resize(8, antialias=False), "nearest"),
        (lambda: T.Pad((1, 2, 3)), "padding=(1, 2, 3)"),
        (lambda: T.Pad(-1), "padding=-1"),
        (lambda: T.Pad(1, padding_mode="wrap"), "symmetric"),
        (lambda: T.RandomCrop("8"), "size='8'"),
        (lambda: T.RandomHorizontalFlip(1.5), "p=1.5"),
        (lambda: T.RandomVerticalFlip("0.5"), "p='0.5'"),
        (lambda: T.RandomRotation(-5), "degrees=-5"),
        (lambda: T.RandomRotation((5, -5)), "degrees=(5, -5)"),
        (lambda: T.RandomRotation(5, "lanczos"), "nearest, bilinear, bicubic"),
        (lambda: T.RandomRotation(5, center=3), "center=3"),
        (lambda: T.RandomAffine(5, translate=(0.1, 2)), "translate=(0.1, 2)"),
        (lambda: T.RandomAffine(5, scale=(0, 2)), "scale=(0, 2)"),
        (lambda: T.RandomAffine(5, shear=(3, 2, 1)), "shear=(3, 2, 1)"),
        (lambda: T.RandomResizedCrop(8, scale=(1, 0.5)), "scale=(1, 0.5)"),
        (lambda: T.RandomResizedCrop(8, ratio=(0, 1)), "ratio=(0, 1)"),
        (lambda: T.RandomErasing(scale=(0.1, 1.5)), "from 0 to 1"),
        (lambda: T.RandomErasing(value="noise"), "value='noise'"),
        (lambda: T.ColorJitter(brightness=-1), "brightness=-1"),
        (lambda: T.ColorJitter(hue=0.7), "from -0.5 to 0.5"),
        (lambda: T.ColorJitter(contrast="much"), "contrast='much'"),
        (lambda: T.Grayscale(2), "num_output_channels=2"),
        (lambda: T.RandomChoice([]), "none"),
        (lambda: T.RandomChoice([abs], p=[0]), "p=[0]"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(make: Any, words: str) -> None:
    with pytest.raises(OptionError) as raised:
        make()
    assert words in str(raised.value)


def test_a_generator_is_one_of_numpys() -> None:
    with pytest.raises(DtypeError, match="default_rng"):
        T.RandomHorizontalFlip(rng=0)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- lists


@pytest.mark.proves("C046")
def test_compose_goes_in_order_and_says_where_it_failed() -> None:
    assert T.Compose([lambda x: x + 1, lambda x: x * 10])(1) == 20
    with pytest.raises(DtypeError) as raised:
        T.Compose([T.Resize(4), T.Normalize((0.5,), (0.5,)), T.ToTensor()])(picture())
    assert raised.value.__notes__ == ["in transform 1 of Compose: Normalize(mean=(0.5,), std=(0.5,))"]
    with pytest.raises(ZeroDivisionError) as other:
        T.Compose([T.Lambda(lambda x: 1 / x)])(0)
    assert other.value.__notes__ == ["in transform 0 of Compose: Lambda()"]


@pytest.mark.parametrize(
    "given, words",
    [
        ([T.ToTensor], "ToTensor(…), with parentheses"),
        (T.ToTensor(), "a list: [transforms.ToTensor(), …]"),
        ([T.ToTensor(), None], "NoneType None"),
        ({T.ToTensor()}, "a list"),
    ],
)
@pytest.mark.parametrize("owner", [T.Compose, T.RandomApply, T.RandomChoice])
def test_lists_that_are_none_are_refused(owner: Any, given: Any, words: str) -> None:
    with pytest.raises(DtypeError) as raised:
        owner(given)
    assert words in str(raised.value)


def test_reprs_are_torchvisions() -> None:
    assert repr(T.Compose([T.ToTensor(), T.Normalize((0.5,), (0.5,))])) == (
        "Compose(\n    ToTensor()\n    Normalize(mean=(0.5,), std=(0.5,))\n)"
    )
    assert repr(T.RandomApply([T.ColorJitter(0.5)], 0.3)) == (
        "RandomApply(\n    p=0.3\n    ColorJitter(brightness=(0.5, 1.5), contrast=None, saturation=None, hue=None)\n)"
    )
    assert repr(T.Resize(28)) == "Resize(size=28, interpolation=bilinear, max_size=None, antialias=True)"
    assert repr(T.RandomHorizontalFlip()) == "RandomHorizontalFlip(p=0.5)"
    assert repr(T.Pad(2)) == "Pad(padding=2, fill=0, padding_mode=constant)"
    assert repr(T.CenterCrop(3)) == "CenterCrop(size=(3, 3))"
    assert repr(T.Compose([T.RandomApply([T.PILToTensor()])])).splitlines()[3] == "        PILToTensor()"


# ---------------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    "size, max_size, expected",
    [(14, None, (14, 20)), ((14,), None, (14, 20)), ((5, 9), None, (5, 9)), (14, 15, (10, 15)), (7, None, (7, 10))],
)
def test_resize_to(size: Any, max_size: Any, expected: tuple[int, int]) -> None:
    for image in kinds(picture(7, 10)):
        assert pixels(T.Resize(size, max_size=max_size)(image)).shape == (3, *expected)
    turned = T.Resize(size, max_size=max_size)(picture(10, 7))
    if isinstance(size, int) or len(size) == 1:
        assert pixels(turned).shape == (3, *expected[::-1])


def test_resize_leaves_a_pixel_of_a_long_thin_image() -> None:
    for image in kinds(picture(1, 200)):
        assert pixels(T.Resize(10, max_size=20)(image)).shape == (3, 1, 20)


@pytest.mark.parametrize("interpolation", list(T.InterpolationMode))
def test_resize_of_an_image_is_pillows_and_of_bytes_the_same(interpolation: str) -> None:
    image = picture(9, 12)
    expected = image.resize((5, 4), Image.Resampling[interpolation.upper()])
    same(T.Resize((4, 5), interpolation), image, pixels(expected))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(4, 5), (20, 31), (3, 30)])
def test_resize_of_floats_is_pytorchs_smoothed_interpolation(
    torch: ModuleType, interpolation: str, size: tuple[int, int]
) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 9, 12)).astype(np.float32)
    theirs = torch.nn.functional.interpolate(torch.from_numpy(x), size, mode=interpolation, antialias=True)
    # Pillow's bicubic curve has a = -0.5, as has PyTorch's where it smooths
    np.testing.assert_allclose(T.Resize(size, interpolation)(x), theirs.numpy(), atol=1e-5)
    np.testing.assert_array_equal(T.Resize(size, interpolation)(x[0]), T.Resize(size, interpolation)(x)[0])


def test_resize_keeps_the_dtype() -> None:
    for dtype in (np.uint8, np.int64, np.float32, np.float64):
        x = np.arange(2 * 4 * 4).reshape(2, 4, 4).astype(dtype)
        y = T.Resize((2, 2), "box")(x)
        assert y.dtype == dtype
        means = x.reshape(2, 2, 2, 2, 2).mean((2, 4))
        np.testing.assert_allclose(y, means, atol=0 if dtype in (np.float32, np.float64) else 0.5)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12), st.integers(1, 12))
def test_center_crop_of_any_size(height: int, width: int, h: int, w: int) -> None:
    """The middle, wherever both have one; black outside."""
    image = picture(height, width)
    got = pixels(T.CenterCrop((h, w))(image))
    assert got.shape == (3, h, w)
    np.testing.assert_array_equal(got, T.CenterCrop((h, w))(pixels(image)))
    framed = np.pad(pixels(image), ((0, 0), (20, 20), (20, 20)))
    candidates = [
        framed[:, 20 + top : 20 + top + h, 20 + left : 20 + left + w]
        for top in {(height - h) // 2, (height - h + 1) // 2}
        for left in {(width - w) // 2, (width - w + 1) // 2}
    ]
    assert any((got == candidate).all() for candidate in candidates)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("padding", [2, (1, 3), (0, 1, 2, 3)])
@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
def test_pad_is_numpys(channels: int, padding: Any, mode: Any) -> None:
    image = picture(channels=channels)
    left, top, right, bottom = {2: (2, 2, 2, 2), (1, 3): (1, 3, 1, 3)}.get(padding, padding)
    expected = np.pad(
        pixels(image),
        ((0, 0), (top, bottom), (left, right)),
        mode,
        **({"constant_values": 9} if mode == "constant" else {}),
    )
    same(T.Pad(padding, 9, mode), image, expected)


def test_pad_with_a_colour() -> None:
    expected = np.pad(pixels(picture()), ((0, 0), (1, 1), (1, 1)))
    expected[:, [0, -1], :] = np.array([1, 2, 3])[:, None, None]
    expected[:, :, [0, -1]] = np.array([1, 2, 3])[:, None, None]
    same(T.Pad(1, (1, 2, 3)), picture(), expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I", "F", "LA"])
@pytest.mark.parametrize("padding_mode", ["constant", "reflect"])
def test_pad_of_images_of_every_mode(mode: str, padding_mode: str) -> None:
    image = picture().convert("L").convert(mode) if mode == "LA" else picture().convert(mode)
    padded = T.Pad(2, padding_mode=padding_mode)(image)
    assert padded.mode == mode
    assert padded.size == (14, 11)
    inside = padded.crop((2, 2, 12, 9))
    assert inside.convert("RGB").tobytes() == image.convert("RGB").tobytes()


# ---------------------------------------------------------------------- what is drawn


@pytest.mark.proves("C045")
def test_flips_are_numpys() -> None:
    image = picture()
    same(T.RandomHorizontalFlip(1), image, pixels(image)[:, :, ::-1])
    same(T.RandomVerticalFlip(1), image, pixels(image)[:, ::-1])
    same(T.RandomHorizontalFlip(0), image, pixels(image))


@pytest.mark.proves("C045")
@pytest.mark.parametrize("degrees, turns", [(90, 1), (180, 2), (-90, -1)])
def test_quarter_turns_are_numpys(degrees: float, turns: int) -> None:
    image = picture(8, 8)
    same(T.RandomRotation((degrees, degrees)), image, np.rot90(pixels(image), turns, (1, 2)))
    same(T.RandomAffine((-degrees, -degrees)), image, np.rot90(pixels(image), turns, (1, 2)))
    wide = picture(4, 6)
    same(T.RandomRotation((degrees, degrees), expand=True), wide, np.rot90(pixels(wide), turns, (1, 2)))


@pytest.mark.proves("C045")
@pytest.mark.parametrize("angle", [-70.0, 20.0, 33.0])
def test_a_rotation_of_any_angle_is_scipys(angle: float) -> None:
    """In the inside, where neither has to invent pixels."""
    ndimage = pytest.importorskip("scipy.ndimage")
    y, x = np.mgrid[:31, :31]
    smooth = (np.sin(x / 5) + np.cos(y / 7)).astype(np.float32)[None]
    expected = ndimage.rotate(smooth[0], angle, reshape=False, order=1)
    got = T.RandomRotation((angle, angle), "bilinear")(smooth)[0]
    np.testing.assert_allclose(got[8:-8, 8:-8], expected[8:-8, 8:-8], atol=0.02)
    assert abs(T.RandomRotation((angle, angle))(smooth)[0] - got)[8:-8, 8:-8].max() > 0.01  # nearest: coarser


def test_rotation_about_a_corner_and_the_colour_outside() -> None:
    image = picture(6, 6)
    expected = np.empty((3, 6, 6), np.uint8)
    expected[:] = np.array([7, 8, 9])[:, None, None]
    same(T.RandomRotation((180, 180), center=(0, 0), fill=(7, 8, 9)), image, expected)


def shear_by_hand(x: np.ndarray, tan_x: float, tan_y: float) -> np.ndarray:
    """Nearest pixels of p′ = c + Y X (p − c), inverted by hand: X p = (x − tan_x y, y), Y p = (x, y − tan_y x)."""
    height, width = x.shape[1:]
    out = np.zeros_like(x)
    for i in range(height):
        for j in range(width):
            u, v = j + 0.5 - width / 2, i + 0.5 - height / 2
            v = v + tan_y * u
            u = u + tan_x * v
            column, row = int(np.floor(u + width / 2)), int(np.floor(v + height / 2))
            if 0 <= row < height and 0 <= column < width:
                out[:, i, j] = x[:, row, column]
    return out


def test_affine_scale_and_shear_by_hand() -> None:
    image = picture(8, 8)
    middle = pixels(image)[:, 2:6, 2:6]
    same(T.RandomAffine(0, scale=(2, 2)), image, middle.repeat(2, 1).repeat(2, 2))
    x_only, both = (20.0, 20.0), (20.0, 20.0, 10.0, 10.0)
    tan_x, tan_y = np.tan(np.radians(20)), np.tan(np.radians(10))
    same(T.RandomAffine(0, shear=x_only), image, shear_by_hand(pixels(image), tan_x, 0))
    same(T.RandomAffine(0, shear=both), image, shear_by_hand(pixels(image), tan_x, tan_y))


def test_affine_moves_by_whole_pixels_within_reach() -> None:
    dot = np.zeros((1, 21, 21), np.uint8)
    dot[0, 10, 10] = 1
    move = T.RandomAffine(0, translate=(0.2, 0.1), rng=np.random.default_rng(0))
    places = np.array([np.argwhere(move(dot)[0])[0] - 10 for _ in range(400)])
    assert set(places[:, 0]) == {-2, -1, 0, 1, 2}
    assert set(places[:, 1]) == {-4, -3, -2, -1, 0, 1, 2, 3, 4}


@pytest.mark.proves("C045")
def test_a_random_crop_is_a_part_and_every_part_is_as_likely() -> None:
    x = np.arange(5 * 6, dtype=np.int64).reshape(1, 5, 6)
    crop = T.RandomCrop((3, 4), rng=np.random.default_rng(0))
    corners = []
    for _ in range(3000):
        part = crop(x)
        top, left = divmod(int(part[0, 0, 0]), 6)
        np.testing.assert_array_equal(part, x[:, top : top + 3, left : left + 4])
        corners.append((top, left))
    counts = np.array([corners.count((top, left)) for top in range(3) for left in range(3)])
    assert ((counts - 3000 / 9) ** 2 / (3000 / 9)).sum() < 26.1  # χ² of 8 degrees of freedom: 0.1 % lie above


def test_random_crop_pads_first() -> None:
    image = picture(4, 4)
    whole = np.pad(pixels(image), ((0, 0), (2, 2), (2, 2)), constant_values=5)
    for seed in range(20):
        for one in kinds(image):
            got = pixels(T.RandomCrop(5, padding=2, fill=5, rng=np.random.default_rng(seed))(one))
            places = [(top, left) for top in range(4) for left in range(4)]
            assert any((got == whole[:, t : t + 5, m : m + 5]).all() for t, m in places)
    grown = T.RandomCrop((4, 9), pad_if_needed=True, fill=5)(image)
    assert grown.size == (9, 4)
    assert pixels(grown).shape == (3, 4, 9)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
def test_random_resized_crop_takes_a_part_within_its_bounds(height: int, width: int, seed: int) -> None:
    crop = T.RandomResizedCrop(8, (0.3, 0.6), (0.5, 2.0), rng=np.random.default_rng(seed))
    top, left, h, w = crop._place(height, width)
    assert top >= 0
    assert left >= 0
    assert 0 < h <= height - top
    assert 0 < w <= width - left
    if min(height, width) >= 20:
        assert 0.25 < h * w / (height * width) < 0.66 or width / height > 2 or height / width > 2
    assert crop(np.zeros((3, height, width), np.float32)).shape == (3, 8, 8)


def test_random_resized_crop_of_everything_is_resize() -> None:
    image = picture(12, 12)
    expected = pixels(T.Resize((5, 5))(image))
    same(T.RandomResizedCrop(5, (1, 1), (1, 1)), image, expected)


@pytest.mark.parametrize("size", [(4, 40), (40, 4)])
def test_random_resized_crop_takes_the_middle_where_no_part_fits(size: tuple[int, int]) -> None:
    crop = T.RandomResizedCrop(8, (1, 1), (1, 1))
    assert crop._place(*size) == ((0, 18, 4, 4) if size == (4, 40) else (18, 0, 4, 4))


@pytest.mark.proves("C045")
@pytest.mark.parametrize("make", [T.RandomHorizontalFlip, T.RandomVerticalFlip, T.RandomErasing])
@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_p_is_the_share_of_images_that_change(make: Any, p: float) -> None:
    x = np.arange(1.0, 401).reshape(1, 20, 20)
    transform = make(p, rng=np.random.default_rng(0))
    changed = sum(not np.array_equal(transform(x), x) for _ in range(2000))
    assert abs(changed - 2000 * p) < 4 * np.sqrt(2000 * p * (1 - p))


def test_random_apply_and_choice_take_their_share() -> None:
    add, double = (lambda x: x + 1), (lambda x: x * 2)
    apply = T.RandomApply([add, double], 0.3, rng=np.random.default_rng(0))
    results = [apply(5) for _ in range(2000)]
    assert set(results) == {5, 12}
    assert abs(results.count(12) - 600) < 4 * np.sqrt(2000 * 0.3 * 0.7)
    choose = T.RandomChoice([add, double], p=[1, 3], rng=np.random.default_rng(0))
    results = [choose(5) for _ in range(2000)]
    assert set(results) == {6, 10}
    assert abs(results.count(10) - 1500) < 4 * np.sqrt(2000 * 0.75 * 0.25)
    assert {T.RandomChoice([add, double])(5) for _ in range(50)} == {6, 10}


def test_rotation_angles_fill_their_range() -> None:
    """A far point turned by an angle says which it was."""
    dot = np.zeros((1, 201, 201), np.uint8)
    dot[0, 99:102, 195:199] = 1
    turn = T.RandomRotation((-30, 60), rng=np.random.default_rng(0))
    angles = []
    for _ in range(300):
        row, column = np.argwhere(turn(dot)[0]).mean(axis=0) - 100
        angles.append(np.degrees(np.arctan2(-row, column)))
    assert min(angles) > -31
    assert max(angles) < 61
    counts, _ = np.histogram(angles, 6, (-30, 60))
    assert ((counts - 50) ** 2 / 50).sum() < 20.5  # χ² of 5 degrees of freedom: 0.1 % lie above


@pytest.mark.parametrize("value", [0.5, (1.0, 2.0, 3.0), "random"])
def test_erasing_replaces_one_rectangle(value: Any) -> None:
    x = np.full((3, 30, 40), -9.0, np.float32)
    erase = T.RandomErasing(1, (0.1, 0.2), (0.5, 2), value, rng=np.random.default_rng(0))
    for _ in range(50):
        for one in (x, Tensor(x)):
            y = pixels(erase(one))
            assert y.dtype == np.float32
            rows, columns = np.flatnonzero((y != -9).any((0, 2))), np.flatnonzero((y != -9).any((0, 1)))
            hole = y[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert (hole != -9).all()
            assert (y != -9).sum() == hole.size
            assert 0.08 < hole[0].size / 1200 < 0.22
            assert 0.4 < hole.shape[1] / hole.shape[2] < 2.5
            if value == "random":
                assert hole.std() > 0.8
            else:
                np.testing.assert_array_equal(hole, np.broadcast_to(np.reshape(value, (-1, 1, 1)), hole.shape))
    assert (x == -9).all()


def test_erasing_leaves_what_has_no_room() -> None:
    x = np.ones((1, 1, 9), np.float32)
    assert T.RandomErasing(1)(x) is x
    with pytest.raises(ShapeError, match="3: one for each channel"):
        T.RandomErasing(1, value=(1.0, 2.0))(np.ones((3, 9, 9)))


RANDOM = [
    T.RandomHorizontalFlip,
    T.RandomVerticalFlip,
    lambda **rng: T.RandomCrop(4, padding=2, **rng),
    lambda **rng: T.RandomResizedCrop(4, **rng),
    lambda **rng: T.RandomRotation(40, **rng),
    lambda **rng: T.RandomAffine(40, (0.2, 0.2), (0.5, 1.5), 20, **rng),
    lambda **rng: T.ColorJitter(0.5, 0.5, 0.5, 0.5, **rng),
    lambda **rng: T.RandomApply([T.Pad(1)], **rng),
    lambda **rng: T.RandomChoice([T.Pad(1), T.Pad(2)], **rng),
]


@pytest.mark.proves("C045")
@pytest.mark.parametrize("make", RANDOM)
def test_what_is_drawn_comes_from_the_generator_given_or_the_default_one(make: Any) -> None:
    image = picture()

    def drawn(transform: Any) -> list[bytes]:
        return [transform(image).tobytes() for _ in range(12)]

    here = drawn(make(rng=np.random.default_rng(3)))
    assert len(set(here)) > 1
    assert here == drawn(make(rng=np.random.default_rng(3))) != drawn(make(rng=np.random.default_rng(4)))
    numnet.manual_seed(5)
    first = drawn(make())
    numnet.manual_seed(5)
    drawn(make(rng=np.random.default_rng(3)))  # and leaves the default one alone
    assert first == drawn(make())


def test_the_three_kinds_of_image_draw_alike() -> None:
    image = picture(9, 9)
    for make in RANDOM[:6]:
        results = [pixels(make(rng=np.random.default_rng(1))(one)) for one in kinds(image)]
        assert all(np.array_equal(result, results[0]) for result in results)


@pytest.mark.parametrize("make", [*RANDOM, T.RandomErasing, T.ToTensor, T.Grayscale, lambda **_: T.Resize(4, "box")])
def test_transforms_can_be_sent_to_a_worker(make: Any) -> None:
    """One that is spawned gets them pickled."""
    transform = T.Compose([make(), make()])
    assert repr(pickle.loads(pickle.dumps(transform))) == repr(transform)


@pytest.mark.parametrize("transform", [T.Resize(4), T.ToTensor(), T.RandomRotation(5)])
def test_without_pillow_the_error_names_the_extra(transform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture()
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingExtraError, match=r"numnet\[data\]"):
        transform(image)


def test_what_needs_no_pillow_runs_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    x = np.random.default_rng(0).random((3, 8, 8))
    T.Compose([T.Pad(1), T.RandomCrop(4), T.RandomHorizontalFlip(1), T.ColorJitter(0.1), T.Normalize(0.5, 0.5)])(x)
    assert T.ToTensor()(x).shape == (8, 3, 8)
