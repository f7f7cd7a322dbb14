"""The models of images: parameters, shapes, options, what they refuse."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numnet
from numnet import models, nn
from numnet.errors import NumnetError, OptionError, ShapeError
from numnet.io import load, save
from numnet.models import BasicBlock, Bottleneck, ResNet, nin_block, vgg_block
from numnet.nn import init


@pytest.fixture
def unfilled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Initial values are not drawn: arrays that nobody writes into take no memory, however large they are."""
    for name in init.__all__:
        if name.endswith("_"):
            monkeypatch.setattr(init, name, lambda *tensors, **options: None)


def count(net: nn.Module) -> int:
    return sum(p.data.size for p in net.parameters())


@pytest.mark.usefixtures("unfilled")
@pytest.mark.parametrize(
    "make, parameters",
    [
        pytest.param(models.LeNet, 61_706, marks=pytest.mark.proves("C217")),
        pytest.param(models.AlexNet, 61_100_840, marks=pytest.mark.proves("C218")),
        pytest.param(models.vgg11, 132_863_336, marks=pytest.mark.proves("C219")),
        (lambda: models.vgg11(batch_norm=True), 132_868_840),
        (models.vgg13, 133_047_848),
        (models.vgg16, 138_357_544),
        (models.vgg19, 143_667_240),
        pytest.param(models.NiN, 1_992_166, marks=pytest.mark.proves("C220")),
        (models.GoogLeNet, 6_624_904),
        pytest.param(models.resnet18, 11_689_512, marks=pytest.mark.proves("C222")),
        (models.resnet34, 21_797_672),
        (models.resnet50, 25_557_032),
        (models.resnet101, 44_549_160),
        (models.resnet20, 269_722),
        (lambda: models.resnet20(shortcut="B"), 272_474),
        (models.resnet32, 464_154),
        (models.resnet44, 658_586),
        (models.resnet56, 853_018),
        (models.resnet110, 1_727_962),
        (models.densenet121, 7_978_856),
        (models.densenet161, 28_681_000),
        (models.densenet169, 14_149_480),
        (models.densenet201, 20_013_928),
    ],
)
def test_as_many_parameters_as_published(make: Callable[[], nn.Module], parameters: int) -> None:
    """torchvision's counts (GoogLeNet's without the auxiliary classifiers), and for CIFAR those of section 4.2."""
    assert count(make()) == parameters


@pytest.mark.parametrize(
    "make, shape, y_shape",
    [
        pytest.param(models.LeNet, (2, 1, 28, 28), (2, 10), marks=pytest.mark.proves("C217")),
        (lambda: models.LeNet(4, 3, padding=0), (2, 3, 32, 32), (2, 4)),
        pytest.param(
            lambda: models.AlexNet(10, width=0.25), (2, 3, 224, 224), (2, 10), marks=pytest.mark.proves("C218")
        ),
        (lambda: models.AlexNet(10, in_channels=1, width=0.1), (2, 1, 63, 63), (2, 10)),
        pytest.param(lambda: models.vgg11(10, width=0.25), (1, 3, 224, 224), (1, 10), marks=pytest.mark.proves("C219")),
        (lambda: models.vgg16(7, in_channels=1, width=0.1), (2, 1, 32, 32), (2, 7)),
        pytest.param(models.NiN, (2, 1, 224, 224), (2, 10), marks=pytest.mark.proves("C220")),
        (lambda: models.NiN(5, 3, width=0.1), (2, 3, 67, 67), (2, 5)),
        (lambda: models.GoogLeNet(10, in_channels=1, width=0.3), (2, 1, 96, 96), (2, 10)),
        (lambda: models.GoogLeNet(10, width=0.05), (2, 3, 15, 15), (2, 10)),
        pytest.param(
            lambda: models.resnet18(10, channels=16), (1, 3, 224, 224), (1, 10), marks=pytest.mark.proves("C222")
        ),
        (lambda: models.resnet50(10, channels=8, in_channels=1), (2, 1, 64, 64), (2, 10)),
        (models.resnet20, (2, 3, 32, 32), (2, 10)),
        (lambda: models.DenseNet(8, (2, 2, 2, 2), 16, num_classes=10), (2, 3, 96, 96), (2, 10)),
        (lambda: models.DenseNet(2, (1, 1, 1, 1), 2, num_classes=4), (2, 3, 29, 29), (2, 4)),
    ],
)
def test_shapes_there_and_back(make: Callable[[], nn.Module], shape: tuple[int, ...], y_shape: tuple[int, ...]) -> None:
    net = make()
    y = net(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    assert (y.shape, y.dtype) == (y_shape, np.float32)
    assert net.backward(np.ones_like(y)).shape == shape
    assert all(p.grad is not None and np.isfinite(p.grad).all() for p in net.parameters())


@pytest.mark.proves("C217")
def test_lenet_layer_by_layer() -> None:
    net, found = models.LeNet(), []
    x = np.zeros((1, 1, 28, 28), np.float32)
    for layer in (*net.features, *net.classifier):
        x = layer(x)
        found.append(x.shape[1:])
    images = [(6, 28, 28), (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 10, 10), (16, 5, 5)]
    assert found == [*images, (400,), (120,), (120,), (84,), (84,), (10,)]


# ---------------------------------------------------------------------------------------------- as printed


@pytest.mark.proves("C217")
def test_lenet_is_the_printed_net() -> None:
    printed = nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5), nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120), nn.Sigmoid(),
        nn.Linear(120, 84), nn.Sigmoid(),
        nn.Linear(84, 10))  # fmt: skip
    same_bits(models.LeNet(), printed, (2, 1, 28, 28))


@pytest.mark.proves("C220", "C221")
def test_nin_is_the_printed_net() -> None:
    printed = nn.Sequential(
        nin_block(1, 96, kernel_size=11, strides=4, padding=0),
        nn.MaxPool2d(3, stride=2),
        nin_block(96, 256, kernel_size=5, strides=1, padding=2),
        nn.MaxPool2d(3, stride=2),
        nin_block(256, 384, kernel_size=3, strides=1, padding=1),
        nn.MaxPool2d(3, stride=2),
        nn.Dropout(0.5),
        nin_block(384, 10, kernel_size=3, strides=1, padding=1),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten())  # fmt: skip
    assert count(printed) == 1_992_166
    same_bits(models.NiN().eval(), printed.eval(), (2, 1, 224, 224))


def same_bits(net: nn.Module, printed: nn.Module, shape: tuple[int, ...]) -> None:
    """The parameters of both, in their order, have the same shapes; with the same numbers, both give the same."""
    for ours, theirs in zip(net.parameters(), printed.parameters(), strict=True):
        theirs.data[...] = ours.data
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(net(x), printed(x))


@pytest.mark.proves("C221")
def test_nin_block_is_the_printed_one(torch: ModuleType) -> None:
    def printed(in_channels: int, out_channels: int, kernel_size: int, strides: int, padding: int) -> Any:
        return torch.nn.Sequential(
            torch.nn.Conv2d(in_channels, out_channels, kernel_size, strides, padding), torch.nn.ReLU(),
            torch.nn.Conv2d(out_channels, out_channels, kernel_size=1), torch.nn.ReLU(),
            torch.nn.Conv2d(out_channels, out_channels, kernel_size=1), torch.nn.ReLU())  # fmt: skip

    ours, theirs = nin_block(2, 5, 3, 2, 1), printed(2, 5, 3, 2, 1)
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(3, 2, 9, 8)).astype(np.float32)
    np.testing.assert_allclose(ours(x), theirs(torch.from_numpy(x)).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_two_convolutions_of_1_by_1_are_dense_layers_of_every_pixel() -> None:
    block = nin_block(2, 5, 3, 1, 1).double()
    a = block[1](block[0](np.random.default_rng(0).normal(size=(3, 2, 4, 4))))  # (N, 5, 4, 4)
    rows = a.transpose(0, 2, 3, 1)  # (N, 4, 4, 5)
    for conv in (block[2], block[4]):
        rows = np.maximum(rows @ conv.weight.data[:, :, 0, 0].T + conv.bias.data, 0)
    np.testing.assert_allclose(block[2:](a), rows.transpose(0, 3, 1, 2), rtol=1e-12)


@pytest.mark.proves("C219")
def test_vgg_is_made_of_blocks_that_halve_the_image() -> None:
    block = vgg_block(2, 3, 8)
    names = [type(layer).__name__ for layer in block]
    assert names == ["Conv2d", "ReLU", "Conv2d", "ReLU", "MaxPool2d"]
    assert block(np.zeros((1, 3, 20, 14), np.float32)).shape == (1, 8, 10, 7)
    convolutions = {11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]}
    for depth, per_block in convolutions.items():
        layers = "".join(type(layer).__name__[0] for layer in models.VGG(depth, 2, width=0.02).features)
        assert layers == "".join("CR" * n + "M" for n in per_block)
        assert sum(per_block) + 3 == depth


@pytest.mark.proves("C113")
@pytest.mark.parametrize(
    "net",
    [models.vgg11(2, batch_norm=True, width=0.05), vgg_block(3, 1, 2, batch_norm=True), models.GoogLeNet(2, width=0.1)],
    ids=["vgg", "vgg_block", "googlenet"],
)
def test_batch_norm_stands_between_convolution_and_relu(net: nn.Module) -> None:
    order = [type(m).__name__ for m in net.modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d | nn.ReLU)]
    convolutions = order.count("Conv2d")
    assert order[: 3 * convolutions] == ["Conv2d", "BatchNorm2d", "ReLU"] * convolutions


# ---------------------------------------------------------------------------------------------- residual blocks


@pytest.mark.proves("C222")
@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_a_block_starts_as_the_identity(block: Any) -> None:
    """With the last γ at 0 a block without ``downsample`` is the identity of what comes out of a ReLU."""
    net = ResNet(block, (1, 3), 3, channels=4, small_images=True, zero_init_residual=True)
    x = np.abs(np.random.default_rng(0).normal(size=(2, 8 * block.expansion, 6, 6))).astype(np.float32)
    for unit in (net.layer2[1], net.layer2[2]):
        np.testing.assert_array_equal(unit(x), x)
        delta = np.ones_like(x)
        np.testing.assert_array_equal(unit.backward(delta), delta)  # δ comes through whole as well
    deeper, shallow = (
        ResNet(block, (1, 3), 3, channels=4, zero_init_residual=True),
        ResNet(block, (1, 1), 3, channels=4),
    )
    deeper_state = deeper.state_dict()
    shallow.load_state_dict({key: deeper_state[key] for key in shallow.state_dict()})
    x = np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype(np.float32)
    np.testing.assert_array_equal(deeper(x), shallow(x))  # the deeper network can do what the shallow one does


@pytest.mark.proves("C222")
def test_a_convolution_of_1_by_1_goes_around_where_the_shape_changes() -> None:
    block = BasicBlock(4, 8, 2)
    assert block.downsample is not None
    conv, norm = block.downsample
    assert (conv.kernel_size, conv.stride, norm.num_features) == ((1, 1), (2, 2), 8)
    assert block(np.zeros((1, 4, 9, 7), np.float32)).shape == (1, 8, 5, 4)
    assert BasicBlock(4, 4).downsample is None
    assert BasicBlock(4, 8, 2, residual=False).downsample is None


def test_shortcut_a_has_no_parameters() -> None:
    block = BasicBlock(2, 5, 2, "A").double()
    x = np.random.default_rng(0).normal(size=(1, 2, 5, 6))
    around = block.downsample(x)
    np.testing.assert_array_equal(around[:, :2], x[:, :, ::2, ::2])
    assert not around[:, 2:].any()
    assert not list(block.downsample.parameters())


@pytest.mark.parametrize("residual", [True, False])
def test_without_the_ways_around_the_convolutions_stay(residual: bool) -> None:
    net = models.resnet20(residual=residual, shortcut="B", channels=4)
    names = [name for name, _ in net.named_parameters() if "downsample" not in name]
    plain = [name for name, _ in models.resnet20(residual=False, channels=4).named_parameters()]
    assert names == plain
    assert len(list(net.named_parameters())) - len(names) == (6 if residual else 0)


# ---------------------------------------------------------------------------------------------- dropout


@pytest.mark.parametrize(
    "net, number",
    [
        (models.AlexNet(3, 0.3, width=0.02), 2),
        (models.vgg11(3, dropout=0.3, width=0.02), 2),
        (models.NiN(3, 3, 0.3, width=0.1, rng=np.random.default_rng(0)), 1),
        (models.GoogLeNet(3, 0.3, width=0.05), 1),
        (models.DenseNet(4, (1, 2), 4, drop_rate=0.3, num_classes=3), 3),
        (models.MLP([3 * 70 * 70, 6, 5, 3], batch_norm=True, dropout=0.3), 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_dropout_has_the_probability_asked_for_and_takes_part(net: nn.Module, number: int) -> None:
    drops = [module for module in net.double().modules() if isinstance(module, nn.Dropout)]
    assert [drop.p for drop in drops] == [0.3] * number
    x = np.random.default_rng(0).normal(size=(4, 3, 70, 70))
    for drop in drops:
        drop.eval()
    y = net(x)
    np.testing.assert_array_equal(net(x), y)
    for drop in drops:
        drop.train()
        assert (net(x) != y).any()
        drop.eval()


def test_the_usual_probabilities_of_dropout() -> None:
    for cls, p in ((models.AlexNet, 0.5), (models.VGG, 0.5), (models.NiN, 0.5), (models.GoogLeNet, 0.2)):
        assert inspect.signature(cls).parameters["dropout"].default == p


# ---------------------------------------------------------------------------------------------- initial values


def test_convolutions_before_relus_keep_the_variance() -> None:
    numnet.manual_seed(0)
    for net, mode in (
        (models.resnet20(channels=32), 0),
        (models.VGG(11, width=0.15), 0),
        (models.DenseNet(32, (2,), 64), 1),
    ):
        conv = [m for m in net.modules() if isinstance(m, nn.Conv2d)][3]
        fan = conv.weight.shape[mode] * conv.kernel_size[0] ** 2
        assert conv.weight.data.std() == pytest.approx(np.sqrt(2 / fan), rel=0.05)
        assert conv.bias is None or not conv.bias.data.any()
    assert not net.classifier.bias.data.any(), "DenseNet's"
    assert models.vgg11(width=0.1).classifier[0].weight.data.std() == pytest.approx(0.01, rel=0.03)
    assert models.GoogLeNet(10, width=0.2).conv3.conv.weight.data.std() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(
    "make",
    [
        models.LeNet,
        lambda rng: models.AlexNet(5, width=0.05, rng=rng),
        lambda rng: models.vgg11(5, width=0.05, rng=rng),
        lambda rng: models.NiN(5, width=0.05, rng=rng),
        lambda rng: models.GoogLeNet(5, width=0.05, rng=rng),
        lambda rng: models.resnet18(5, channels=4, rng=rng),
        lambda rng: models.DenseNet(4, (1, 1), 4, drop_rate=0.2, num_classes=5, rng=rng),
    ],
)
def test_everything_is_drawn_from_rng(make: Callable[..., nn.Module]) -> None:
    numnet.manual_seed(5)
    first = make(rng=np.random.default_rng(1))
    assert numnet.random.default_rng().random() == numnet.manual_seed(5).random()
    second = make(rng=np.random.default_rng(1))
    x = np.random.default_rng(0).normal(size=(2, *images_of(first))).astype(np.float32)
    np.testing.assert_array_equal(first(x), second(x))
    assert (first(x) != make(rng=np.random.default_rng(2))(x)).any()


def images_of(net: nn.Module) -> tuple[int, int, int]:
    conv = next(m for m in net.modules() if isinstance(m, nn.Conv2d))
    return (1, 28, 28) if isinstance(net, models.LeNet) else (conv.in_channels, 70, 70)


# ---------------------------------------------------------------------------------------------- refusals, files


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: models.VGG(12), "a depth of 11, 13, 16 or 19"),
        (lambda: models.AlexNet(width=0), "a positive width"),
        (lambda: models.NiN(width=float("inf")), "a positive width"),
        (lambda: models.LeNet(num_classes=0), "num_classes of at least 1"),
        (lambda: ResNet(BasicBlock, ()), "the number of blocks in each stage"),
        (lambda: models.resnet18(shortcut="C"), 'shortcut "A" or "B"'),
        (lambda: BasicBlock(8, 4, shortcut="A"), "at least as many channels"),
        (lambda: models.resnet18(residual=False, zero_init_residual=True), "residual=True"),
        (lambda: models.DenseNet(block_config=(2, 0)), "the number of layers in each block"),
        (lambda: models.NiN(in_channels=0), "in_channels of at least 1"),
        (lambda: models.GoogLeNet(0), "num_classes of at least 1"),
        (lambda: vgg_block(0, 1, 1), "num_convs of at least 1"),
        (lambda: nin_block(3, 0, 1, 1, 0), "out_channels of at least 1"),
        (lambda: models.inception(4, 1, 1, 0, 1, 1, 1), "ch3x3 of at least 1"),
    ],
)
def test_what_cannot_be_built_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        make()


@pytest.mark.parametrize(
    "net, shape, words",
    [
        (models.LeNet(), (2, 3, 28, 28), "channels"),
        (models.LeNet(), (2, 1, 32, 32), "in_features"),
        (models.NiN(3, width=0.02), (2, 1, 28, 28), "spatial size"),
        (models.vgg11(2, width=0.02), (1, 3, 16, 16), "spatial size"),
        (models.GoogLeNet(2, width=0.02).eval(), (1, 3, 14, 14), "spatial size"),
        (models.DenseNet(2, (1, 1, 1, 1), 2).eval(), (1, 3, 28, 28), "spatial size"),
    ],
)
def test_images_that_do_not_fit_are_refused(net: nn.Module, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(ShapeError, match=words) as caught:
        net(np.zeros(shape, np.float32))
    assert isinstance(caught.value, NumnetError)
    assert caught.value.where


@pytest.mark.parametrize(
    "net",
    [
        models.LeNet(activation=nn.ReLU, pool=nn.MaxPool2d),
        models.vgg11(3, width=0.03, batch_norm=True),
        models.resnet20(channels=4),
        models.DenseNet(4, (1, 2), 4, num_classes=3),
        models.GoogLeNet(3, width=0.05),
    ],
    ids=["LeNet", "VGG", "ResNet", "DenseNet", "GoogLeNet"],
)
def test_a_file_of_the_whole_network(net: nn.Module, tmp_path: Path) -> None:
    save(net, tmp_path / "net.safetensors")
    again = load(tmp_path / "net.safetensors")
    assert type(again) is type(net)
    x = np.random.default_rng(0).normal(size=(2, *images_of(net))).astype(np.float32)
    np.testing.assert_array_equal(again.eval()(x), net.eval()(x))
