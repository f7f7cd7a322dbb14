"""The models of images against independent twins in PyTorch that share their weights."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from shared_weights import agree, close

from numnet import models, nn
from numnet.models import BasicBlock, Bottleneck

tnn = pytest.importorskip("torch.nn", reason='PyTorch is not installed: pip install ".[test]"')
import twins  # noqa: E402 -- it is written in PyTorch

ALEXNET = {"dropout": 0.0, "in_channels": 1, "width": 1 / 16}
VGG_11 = [4, "M", 8, "M", 16, 16, "M", 32, 32, "M", 32, 32, "M"]
VGG_13 = [4, 4, "M", 8, 8, "M", 16, 16, "M", 32, 32, "M", 32, 32, "M"]
VGG_16 = [4, 4, "M", 8, 8, "M", 16, 16, 16, "M", 32, 32, 32, "M", 32, 32, 32, "M"]
VGG_19 = [4, 4, "M", 8, 8, "M", 16, 16, 16, 16, "M", 32, 32, 32, 32, "M", 32, 32, 32, 32, "M"]

# ours, the twin, the shape of x
CASES: dict[str, tuple[Callable[[], Any], Callable[[], Any], tuple[int, ...]]] = {
    "lenet": (models.LeNet, lambda: twins.LeNet(tnn.Sigmoid, tnn.AvgPool2d), (3, 1, 28, 28)),
    "lenet, relu, max": (
        lambda: models.LeNet(activation=nn.ReLU, pool=nn.MaxPool2d),
        lambda: twins.LeNet(tnn.ReLU, tnn.MaxPool2d),
        (3, 1, 28, 28),
    ),
    "alexnet": (
        lambda: models.AlexNet(7, **ALEXNET),
        lambda: twins.AlexNet((4, 12, 24, 16), 256, 7, 1),
        (2, 1, 96, 80),
    ),
    "vgg11": (lambda: vgg(11), lambda: twins.VGG(VGG_11, 256, 5, False), (2, 3, 32, 32)),
    "vgg13": (lambda: vgg(13), lambda: twins.VGG(VGG_13, 256, 5, False), (1, 3, 32, 32)),
    "vgg16": (lambda: vgg(16), lambda: twins.VGG(VGG_16, 256, 5, False), (1, 3, 40, 32)),
    "vgg19": (lambda: vgg(19), lambda: twins.VGG(VGG_19, 256, 5, False), (1, 3, 32, 32)),
    "vgg11, bn": (lambda: vgg(11, batch_norm=True), lambda: twins.VGG(VGG_11, 256, 5, True), (4, 3, 64, 64)),
    "nin": (lambda: models.NiN(10, 1, 0.0, width=1 / 8), lambda: twins.NiN((12, 32, 48), 10, 1), (2, 1, 80, 67)),
    "googlenet": (lambda: models.GoogLeNet(6, 0.0, width=1 / 8), lambda: twins.GoogLeNet(8, 6), (3, 3, 72, 64)),
    "resnet, basic": (
        lambda: resnet(BasicBlock),
        lambda: twins.ResNet((2, 1, 1), 4, 6, False, False, "B", True),
        (3, 3, 48, 40),
    ),
    "resnet, bottleneck": (
        lambda: resnet(Bottleneck),
        lambda: twins.ResNet((2, 1, 1), 4, 6, True, False, "B", True),
        (3, 3, 48, 40),
    ),
    "resnet, small images": (
        lambda: resnet(BasicBlock, small_images=True),
        lambda: twins.ResNet((2, 1, 1), 4, 6, False, True, "B", True),
        (3, 3, 17, 16),
    ),
    "resnet, shortcut A": (
        lambda: resnet(BasicBlock, small_images=True, shortcut="A"),
        lambda: twins.ResNet((2, 1, 1), 4, 6, False, True, "A", True),
        (3, 3, 17, 16),
    ),
    "resnet, bottleneck, A": (
        lambda: resnet(Bottleneck, small_images=True, shortcut="A"),
        lambda: twins.ResNet((2, 1, 1), 4, 6, True, True, "A", True),
        (3, 3, 16, 16),
    ),
    "resnet, plain": (
        lambda: resnet(BasicBlock, small_images=True, residual=False),
        lambda: twins.ResNet((2, 1, 1), 4, 6, False, True, "B", False),
        (3, 3, 16, 16),
    ),
    "densenet": (
        lambda: models.DenseNet(4, (2, 3, 2), 8, num_classes=6),
        lambda: twins.DenseNet(4, (2, 3, 2), 8, 6),
        (3, 3, 64, 48),
    ),
}


def vgg(depth: Any, **options: Any) -> models.VGG:
    return models.VGG(depth, 5, dropout=0.0, width=1 / 16, **options)


def resnet(block: Any, **options: Any) -> models.ResNet:
    return models.ResNet(block, (2, 1, 1), 6, channels=4, **options)


@pytest.mark.proves("C217", "C218", "C219", "C220", "C222")
@pytest.mark.parametrize("case", CASES)
def test_against_a_twin_with_the_same_weights(case: str, torch: ModuleType) -> None:
    """Output, ∂J/∂x and every parameter's gradient to 1e-10; buffers; and the output in evaluation."""
    make, twin, shape = CASES[case]
    ours, theirs = make(), twin()
    x = np.random.default_rng(1).normal(size=shape)
    count = sum(p.numel() for p in theirs.parameters())
    agree(torch, ours, theirs, x, count=count, floor=1e-4)
    for name, buffer in theirs.named_buffers():
        np.testing.assert_allclose(ours.state_dict()[name], buffer.numpy(), rtol=1e-10, atol=1e-12, err_msg=name)
    close(ours.eval()(x), theirs.eval()(torch.from_numpy(x)).detach().numpy(), "output in evaluation")


@pytest.mark.parametrize("case", CASES)
def test_a_state_dict_goes_to_pytorch_and_back(case: str, torch: ModuleType) -> None:
    make, twin, _ = CASES[case]
    ours, theirs, again = make(), twin(), make()
    theirs.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in ours.state_dict().items()})
    assert again.load_state_dict(theirs.state_dict()) == ([], [])
    for key, value in ours.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[key], value, err_msg=key)
