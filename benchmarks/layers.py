"""Single layers of sizes that nobody tuned for, forward and backward, beside PyTorch's of the same arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch

from numnet import nn
from numnet.nested import flatten

from .machine import threads
from .models import DisagreementError
from .rows import Row, compared
from .timing import Effort, contest

__all__ = ["LAYERS", "Case", "measure", "sides"]

GOAL = 1.2
TOLERANCE = 1e-4

Build = Callable[[ModuleType], Any]


@dataclass(frozen=True)
class Case:
    """A layer, made from the ``nn`` of either library, and the shapes of its inputs.

    ``classes``: the last input is labels below this number, of that shape. ``times``: the one input is given so many
    times, as query, key and value.
    """

    text: str
    shapes: tuple[tuple[int, ...], ...]
    classes: int = 0
    times: int = 1
    positive: bool = False

    @property
    def sizes(self) -> str:
        """The shapes, as the table has them."""
        return ", ".join("×".join(map(str, shape)) or "1" for shape in self.shapes)

    def build(self, nn: ModuleType) -> Any:
        """The layer of this library."""
        return eval(f"nn.{self.text}", {"nn": nn})  # the texts stand below, and in the table

    def inputs(self) -> list[np.ndarray]:
        """The same ones every time."""
        rng = np.random.default_rng(0)
        dtype = np.float64 if self.text.endswith(".double()") else np.float32
        floats = self.shapes[:-1] if self.classes else self.shapes
        made: list[np.ndarray] = [rng.normal(size=shape).astype(dtype) for shape in floats]
        if self.positive:
            made = [rng.uniform(0.05, 0.95, shape).astype(dtype) for shape in floats]
        if self.classes:
            made.append(rng.integers(0, self.classes, self.shapes[-1]))
        return made


class _Ours:
    """Forward and backward of numnet's."""

    def __init__(self, case: Case) -> None:
        self.layer = case.build(nn)
        self.inputs = case.inputs() * case.times
        self.delta: Any = None

    def run(self) -> None:
        self.layer.zero_grad()
        self.y, *states = flatten(self.layer(*self.inputs))  # recurrent layers and attention return more
        self.found = self.layer.backward((self.delta, *[None] * len(states)))


class _Theirs:
    """Forward and backward of PyTorch's, with the same parameters."""

    def __init__(self, case: Case, ours: _Ours) -> None:
        self.layer = case.build(torch.nn)
        weights = {name: torch.from_numpy(np.array(value)) for name, value in ours.layer.state_dict().items()}
        self.layer.load_state_dict(weights)
        leaves = [torch.from_numpy(x) for x in case.inputs()]
        differentiable = getattr(ours.layer, "differentiable_inputs", len(leaves))  # ∂J/∂(target) is nobody's
        for leaf in leaves[:differentiable]:
            leaf.requires_grad_(leaf.is_floating_point())
        self.leaves, self.inputs = leaves, leaves * case.times
        self.delta: Any = None

    def run(self) -> None:
        self.layer.zero_grad()
        for leaf in self.leaves:
            leaf.grad = None
        y = self.layer(*self.inputs)
        self.y = y[0] if isinstance(y, tuple) else y
        self.y.backward(self.delta)


def sides(case: Case) -> tuple[_Ours, _Theirs]:
    """Both sides, once they have been found to agree.

    Raises:
        DisagreementError: they do not.
    """
    ours = _Ours(case)
    theirs = _Theirs(case, ours)
    with torch.no_grad():
        y = theirs.layer(*theirs.inputs)
        y = y[0] if isinstance(y, tuple) else y
    rng = torch.Generator().manual_seed(0)
    theirs.delta = torch.randn(y.shape, dtype=y.dtype, generator=rng) if y.ndim else torch.ones((), dtype=y.dtype)
    ours.delta = theirs.delta.numpy()
    for side in (ours, theirs):
        side.run()
    expected = {"output": theirs.y.detach()} | {name: p.grad for name, p in theirs.layer.named_parameters()}
    found = {"output": ours.y} | {name: p.grad for name, p in ours.layer.named_parameters()}
    deltas = ours.found if isinstance(ours.found, tuple) else (ours.found,)
    deltas = (sum(deltas),) if case.times > 1 else deltas  # the one input's, in all its places
    for number, (leaf, delta) in enumerate(zip(theirs.leaves, deltas, strict=False)):
        if leaf.requires_grad:
            expected[f"∂J/∂(input {number})"], found[f"∂J/∂(input {number})"] = leaf.grad, delta
    for name, value in expected.items():
        right = np.asarray(value)
        norm = max(float(np.linalg.norm(right)), 1e-3)
        error = float(np.linalg.norm(np.asarray(found[name]) - right))
        if not error <= TOLERANCE * norm:
            raise DisagreementError(f"{case.text} of {case.shapes}: {name} differs by {error / norm:.2g}")
    return ours, theirs


def measure(case: Case, n: int, effort: Effort) -> Iterator[Row]:
    """The row of a layer with ``n`` threads.

    Raises:
        DisagreementError: the two sides do not compute the same.
    """
    with threads(n):
        ours, theirs = sides(case)
        result = contest({"numnet": ours.run, "PyTorch": theirs.run}, effort)
        said = {"against": "PyTorch, NCHW", "goal": GOAL}
        yield from compared("layers", case.text, case.sizes, n, result, PyTorch=said)


def _cases(shapes: str, *texts: str, **rest: Any) -> list[Case]:
    """Layers of one shape of input; the shapes of several inputs are parted by commas."""
    sizes = tuple(tuple(int(size) for size in shape.split("×")) for shape in shapes.split(", "))
    return [Case(text, sizes, **rest) for text in texts]


LAYERS = (
    # products
    *_cases("1×20", "Linear(20, 7)", "Linear(20, 128)"),
    *_cases("7×129", "Linear(129, 65)", "Linear(129, 1000)"),
    *_cases("1×1000", "Linear(1000, 10)", "Linear(1000, 999)"),
    *_cases("33×257", "Linear(257, 511)", "Linear(257, 3, bias=False)"),
    *_cases("500×63", "Linear(63, 31)"),
    *_cases("7×13×50", "Linear(50, 37)"),
    *_cases("1×5", "Linear(5, 3)"),
    *_cases("7×257", "Linear(257, 1)", "Linear(257, 257).double()"),
    *_cases("33×9, 33×14", "Bilinear(9, 14, 6)"),
    # convolutions in two dimensions: odd sizes, odd channels, stride, dilation, groups
    *_cases("1×1×28×28", "Conv2d(1, 6, 5, padding=2)"),
    *_cases("7×3×33×31", "Conv2d(3, 17, 3, padding=1)", "Conv2d(3, 8, 7, stride=2, padding=3)"),
    *_cases("1×16×19×23", "Conv2d(16, 33, 3)", "Conv2d(16, 16, 3, padding=1, groups=16)"),
    *_cases("7×32×15×15", "Conv2d(32, 32, 3, padding=1)", "Conv2d(32, 32, 3, stride=2, padding=1)"),
    *_cases("7×32×15×15", "Conv2d(32, 48, 1)", "Conv2d(32, 30, 3, padding=2, dilation=2)"),
    *_cases("7×32×15×15", "Conv2d(32, 64, 3, padding=1, groups=4)", "Conv2d(32, 64, 1, stride=2)"),
    *_cases("7×64×7×7", "Conv2d(64, 64, 3, padding=1)", "Conv2d(64, 100, (1, 5), padding=(0, 2))"),
    *_cases("1×3×97×101", "Conv2d(3, 11, 11, stride=4)", "Conv2d(3, 24, 3, stride=3)"),
    *_cases("1×128×5×5", "Conv2d(128, 130, 3, padding=1)", "Conv2d(128, 128, 5, padding=2, groups=2)"),
    *_cases("7×13×17×19", "Conv2d(13, 7, 3, padding=1)", "Conv2d(13, 26, 5, stride=3, padding=2, bias=False)"),
    *_cases("7×13×17×19", "Conv2d(13, 13, 3, padding=3, dilation=3, groups=13)", "Conv2d(13, 11, (7, 1))"),
    *_cases("1×48×14×14", "Conv2d(48, 48, 3, padding=1, groups=48)", "Conv2d(48, 36, 3, padding=1, groups=12)"),
    *_cases("1×48×14×14", "Conv2d(48, 96, 1)", "Conv2d(48, 30, 3, padding=1).double()"),
    *_cases("7×9×21×21", "Conv2d(9, 9, 3, padding=1, padding_mode='reflect')"),
    # in one and in three, and transposed
    *_cases("7×10×101", "Conv1d(10, 20, 5)", "Conv1d(10, 20, 3, stride=2, dilation=3)"),
    *_cases("1×40×63", "Conv1d(40, 40, 9, padding=4, groups=8)"),
    *_cases("1×4×9×11×13", "Conv3d(4, 6, 3, padding=1)", "Conv3d(4, 8, 2, stride=2)"),
    *_cases("7×16×9×9", "ConvTranspose2d(16, 8, 3, stride=2)", "ConvTranspose2d(16, 9, 4, padding=1)"),
    *_cases("7×19×129", "Conv1d(19, 23, 7, padding=3)", "Conv1d(19, 19, 3, padding=1, groups=19)"),
    *_cases("1×7×5×12×12", "Conv3d(7, 5, (1, 3, 3), padding=(0, 1, 1))"),
    *_cases("1×24×7×7", "ConvTranspose2d(24, 12, 2, stride=2)"),
    *_cases("1×24×7×7", "ConvTranspose2d(24, 24, 3, stride=2, padding=1, output_padding=1, groups=4)"),
    *_cases("7×11×33", "ConvTranspose1d(11, 5, 4, stride=2, padding=1)"),
    *_cases("1×6×5×6×7", "ConvTranspose3d(6, 4, 2, stride=2)"),
    # strides as long as windows, or nearly; windows over all of the image, or that make all of one from a position
    *_cases("2×3×224×224", "Conv2d(3, 64, 16, stride=16)"),
    *_cases("1×1×8000", "Conv1d(1, 64, 400, stride=160)"),
    *_cases("1×21×10×15", "ConvTranspose2d(21, 21, 64, stride=32, padding=16)"),
    *_cases("7×16×14×14", "ConvTranspose2d(16, 16, 4, stride=4)"),
    *_cases("7×16×5×5", "Conv2d(16, 120, 5)", "Conv2d(16, 24, 4)"),
    *_cases("7×128×7×7", "Conv2d(128, 64, 7)"),
    *_cases("7×100×1×1", "ConvTranspose2d(100, 256, 4)"),
    *_cases("7×1×50×300", "Conv2d(1, 100, (3, 300))"),
    *_cases("7×16×22×250", "Conv2d(16, 32, (22, 1))", "Conv2d(16, 32, (22, 1), groups=16)"),
    *_cases("7×64×7×7", "Conv2d(64, 64, 7, groups=64)", "Conv2d(64, 64, 6)"),
    *_cases("7×256×4×4", "ConvTranspose2d(256, 128, 4, stride=2, padding=1)"),
    # pooling
    *_cases("7×17×31×29", "MaxPool2d(2)", "MaxPool2d(3, stride=2)", "MaxPool2d(3, stride=1, padding=1)"),
    *_cases("7×17×31×29", "AvgPool2d(2)", "AvgPool2d(3, stride=2, padding=1)", "AdaptiveAvgPool2d((1, 1))"),
    *_cases("1×64×13×13", "MaxPool2d(3, stride=2)", "AdaptiveAvgPool2d((7, 7))", "AdaptiveMaxPool2d((5, 3))"),
    *_cases("1×3×224×224", "AdaptiveAvgPool2d((7, 7))", "AdaptiveMaxPool2d((7, 7))"),
    *_cases("7×33×50", "MaxPool1d(5)", "AvgPool1d(3, stride=1)", "AdaptiveAvgPool1d(7)", "AdaptiveMaxPool1d(9)"),
    *_cases("7×64×101", "AdaptiveAvgPool1d(1)", "AdaptiveMaxPool1d(1)", "MaxPool1d(50)"),
    *_cases("7×64×7×7", "AdaptiveAvgPool2d(1)", "AdaptiveMaxPool2d(1)"),
    *_cases("7×5×9×11×13", "MaxPool3d(2)", "AvgPool3d(3, stride=2, padding=1)", "AdaptiveAvgPool3d((3, 4, 5))"),
    # norms
    *_cases("7×17×31×29", "BatchNorm2d(17)", "GroupNorm(1, 17)", "InstanceNorm2d(17)"),
    *_cases("7×100", "BatchNorm1d(100)", "LayerNorm(100)"),
    *_cases("1×64×13×13", "BatchNorm2d(64)", "GroupNorm(8, 64)", "LocalResponseNorm(5)"),
    *_cases("7×35×130", "LayerNorm(130)", "RMSNorm(130)"),
    *_cases("1×13×17×17", "BatchNorm2d(13)", "InstanceNorm2d(13, affine=True)"),
    *_cases("33×257", "BatchNorm1d(257)", "LayerNorm(257)", "LayerNorm(257).double()"),
    *_cases("7×19×43", "BatchNorm1d(19)", "InstanceNorm1d(19)"),
    *_cases("1×5×7×8×9", "BatchNorm3d(5)"),
    # activations
    *_cases("7×1001", "ReLU()", "Sigmoid()", "Tanh()", "GELU()", "ELU()", "Softmax(1)", "LogSoftmax(1)"),
    *_cases("1×64×13×13", "ReLU()", "LeakyReLU()", "SiLU()", "Hardswish()", "Softplus()", "PReLU(64)"),
    *_cases("256×10", "Softmax(1)", "Tanh()"),
    *_cases("7×1000", "GLU(1)", "Mish()", "SELU()", "Tanh().double()"),
    *_cases("7×17×31×29", "LogSoftmax(1)", "Hardsigmoid()", "Hardshrink()", "PReLU()"),
    # losses
    *_cases("7×10, 7", "CrossEntropyLoss()", "MultiMarginLoss()", classes=10),
    *_cases("257×1001, 257", "CrossEntropyLoss(label_smoothing=0.1)", classes=1001),
    *_cases("7×10×35, 7×35", "CrossEntropyLoss()", classes=10),
    *_cases("2×21×60×70, 2×60×70", "CrossEntropyLoss()", classes=21),
    *_cases("1×129, 1×129", "MSELoss()", "L1Loss()", "BCEWithLogitsLoss()", positive=True),
    *_cases("100×31, 100×31", "MSELoss()", "SmoothL1Loss()", "BCELoss()", positive=True),
    *_cases("300×1000, 300×1000", "L1Loss()", "HuberLoss()", positive=True),
    # sequences
    *_cases("7×11×30", "RNN(30, 50, batch_first=True)", "LSTM(30, 50, batch_first=True)"),
    *_cases("7×11×30", "GRU(30, 50, batch_first=True)", "LSTM(30, 33, 2, batch_first=True, bidirectional=True)"),
    *_cases("1×35×28", "RNN(28, 100, batch_first=True)", "LSTM(28, 100, batch_first=True)"),
    *_cases("1×35×28", "GRU(28, 100, batch_first=True)"),
    *_cases("7×11×17", "LSTM(17, 23, batch_first=True)", "GRU(17, 23, batch_first=True)"),
    *_cases("7×11×17", "RNN(17, 31, 2, nonlinearity='relu', batch_first=True)"),
    *_cases("1×50×65", "LSTM(65, 129, batch_first=True)", "GRU(65, 33, 2, batch_first=True, bidirectional=True)"),
    *_cases("7×5×9", "LSTM(9, 200, batch_first=True)"),
    *_cases("1×9, 1×21", "RNNCell(9, 21)", "GRUCell(9, 21)"),
    *_cases("7×35", "Embedding(1000, 65)", classes=1000),
    *_cases("7×100", "Embedding(30000, 64)", classes=30000),
    *_cases("1×257", "Embedding(50, 300)", classes=50),
    *_cases("7×33×60", "MultiheadAttention(60, 4, batch_first=True)", times=3),
    *_cases("1×64×128", "MultiheadAttention(128, 8, batch_first=True)", times=3),
    *_cases("7×33×60", "TransformerEncoderLayer(60, 4, 100, dropout=0.0, batch_first=True)"),
    *_cases("7×17×36", "MultiheadAttention(36, 3, batch_first=True)", times=3),
    *_cases("33×16×64", "MultiheadAttention(64, 4, batch_first=True)", times=3),
    *_cases("7×50×256", "MultiheadAttention(256, 16, batch_first=True)", times=3),
    *_cases("1×100×48", "MultiheadAttention(48, 6, batch_first=True)", times=3),
    *_cases("1×33×60", "TransformerEncoderLayer(60, 4, 100, dropout=0.0, batch_first=True)"),
    *_cases("7×19×50, 7×23×50", "TransformerDecoderLayer(50, 5, 70, dropout=0.0, batch_first=True)"),
    # others
    *_cases("7×17×31×29", "ZeroPad2d(1)", "ReflectionPad2d(3)", "Upsample(scale_factor=2)", "Flatten()"),
    *_cases("7×17×31×29", "CircularPad2d(2)", "ReplicationPad2d((2, 0, 1, 3))", "ConstantPad2d(2, 1.5)"),
    *_cases("7×17×31×29", "Upsample(scale_factor=2, mode='bilinear')", "Upsample(size=(20, 21), mode='bicubic')"),
    *_cases("7×6×8×9×10", "Upsample(scale_factor=2, mode='trilinear')", "ReplicationPad3d(1)"),
    *_cases("7×33×50", "ZeroPad1d(3)", "ReflectionPad1d(4)", "Upsample(scale_factor=3, mode='linear')"),
    *_cases("7×16×9×9", "PixelShuffle(2)", "Unfold(3, padding=1)"),
    *_cases("7×32×16×16", "PixelUnshuffle(2)", "ChannelShuffle(4)", "Unfold(4, stride=3, dilation=2)"),
    *_cases("7×144×81", "Fold((9, 9), 3, padding=1)"),
    *_cases("7×31, 7×31", "CosineSimilarity()", "PairwiseDistance()", positive=True),
)
