"""Bad input: every error names the layer by its path, what was expected, what came, and a cure."""

from __future__ import annotations

import pickle
import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numnet import Parameter, Tensor, nn, no_grad, tensor
from numnet.errors import (
    BackwardError,
    DtypeError,
    LabelError,
    MissingExtraError,
    NonFiniteError,
    NumnetError,
    OptionError,
    ShapeError,
    StateDictError,
    describe,
)


class Digits(nn.Module):
    """A network whose layers have paths of several names."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.features = nn.Sequential(nn.Conv2d(1, 2, 3, rng=rng), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(18, 10, rng=rng))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def images(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.ones(shape or (4, 1, 8, 8), dtype)


def labelled(labels: Any, z: Any = None) -> Any:
    loss = nn.CrossEntropyLoss()
    return loss(np.zeros((4, 10), np.float32) if z is None else z, labels)


def net_then(attempt: Callable[[Digits], Any]) -> Callable[[], Any]:
    return lambda: attempt(Digits())


NAN = np.full((4, 10), np.nan, np.float32)
LABELS = np.array([0, 1, 2, 3])

# attempt, type, where, what was expected, what came, cure
CASES: list[tuple[Callable[[], Any], type[NumnetError], str, str, str, str]] = [
    (
        net_then(lambda net: net(images(4, 1, 9, 20))),
        *(ShapeError, "Linear 'head.1', forward of Linear(in_features=18", "in=18", "(4, 54)", "in_features"),
    ),
    (
        net_then(lambda net: net.head[1](images(4, 2, 3, 3))),
        *(ShapeError, "Linear, forward", "in=18", "(4, 2, 3, 3)", "nn.Flatten()"),
    ),
    (
        net_then(lambda net: net(images(4, 3, 8, 8))),
        ShapeError,
        "Conv2d 'features.0', forward",
        "1",
        "(4, 3, 8, 8)",
        "",
    ),
    (net_then(lambda net: net(images(4, 1, 2, 2))), ShapeError, "Conv2d 'features.0', forward", "", "2", ""),
    (
        net_then(lambda net: net(images(dtype=np.float64))),
        *(DtypeError, "Conv2d 'features.0', forward", "float32", "float64", "astype(np.float32)"),
    ),
    (
        net_then(lambda net: net.double()(images())),
        *(DtypeError, "Conv2d 'features.0', forward", "float64", "float32", "astype(np.float64)"),
    ),
    (
        net_then(lambda net: net(images(dtype=np.uint8))),
        *(DtypeError, "Conv2d 'features.0', forward", "float32", "uint8", "astype(np.float32)"),
    ),
    (
        net_then(lambda net: net(images(dtype=np.int64))),
        *(DtypeError, "Conv2d 'features.0', forward", "float32", "int64", "astype(np.float32)"),
    ),
    (
        net_then(lambda net: net([[1.0, 2.0]])),
        *(DtypeError, "Digits, input 0", "arrays or Tensors", "list", "np.asarray(x, dtype=np.float32)"),
    ),
    (net_then(lambda net: net(images(dtype=complex))), DtypeError, "Digits, input 0", "real", "complex128", ""),
    (
        lambda: labelled([0, 1, 2, 3]),
        *(DtypeError, "CrossEntropyLoss, input 1", "arrays or Tensors", "list", "np.int64 for labels"),
    ),
    (
        lambda: labelled([0, 1, 2, 3], tensor(np.zeros((4, 10), np.float32))),
        *(DtypeError, "CrossEntropyLoss, forward", "integer", "list", "np.asarray(y, dtype=np.int64)"),
    ),
    (
        lambda: nn.MSELoss()(tensor([1.0, 2.0]), [1.0, 2.0]),
        *(DtypeError, "MSELoss, forward", "float32", "list", "np.asarray(y, dtype=np.float32)"),
    ),
    (lambda: nn.Sequential([nn.ReLU()]), DtypeError, "", "a Module", "list", "Sequential(*modules)"),
    (
        net_then(lambda net: (net(images()), net.backward(1.0))),
        *(DtypeError, "Digits, backward", "float32", "float 1.0", "np.full((4, 10), 1.0, np.float32)"),
    ),
    (
        net_then(lambda net: (net(images()), net.backward(tensor(images(4, 10))))),
        *(DtypeError, "Digits, backward", "float32", "float32 Tensor", "np.asarray(delta, dtype=np.float32)"),
    ),
    (net_then(lambda net: net("digits")), DtypeError, "Digits, input 0", "arrays or Tensors", "digits", ""),
    (
        net_then(lambda net: net.backward(images(4, 10))),
        *(BackwardError, "Digits, backward", "a call with plain arrays", "no call in this thread", "call the module"),
    ),
    (
        net_then(lambda net: (net(images()), net.backward(images(4, 10)), net.backward(images(4, 10)))),
        *(BackwardError, "Digits, backward", "a call with plain arrays", "has run already", "before each backward"),
    ),
    (
        net_then(lambda net: (net(images()), net.backward(images(10, 4)))),
        *(ShapeError, "Digits, backward", "(4, 10)", "(10, 4)", "one number for each number"),
    ),
    (
        net_then(lambda net: (net(images()), net.backward(images(4, 10, dtype=np.float64)))),
        *(DtypeError, "Digits, backward", "float32", "float64", "delta.astype(np.float32)"),
    ),
    (
        net_then(lambda net: [net(Tensor(images())).sum()] * 2 and twice(net(Tensor(images())).sum())),
        *(BackwardError, "Sum, backward", "a recorded forward", "already", "retain_graph=True"),
    ),
    (
        net_then(lambda net: net.load_state_dict({"head.1.weight": np.zeros((10, 18))})),
        *(StateDictError, "", "keys and shapes of this Digits", "missing keys features.0.weight", "strict=False"),
    ),
    (lambda: labelled(np.array([0, 1, 2, 10])), LabelError, "CrossEntropyLoss, forward", "9", "10", ""),
    (lambda: labelled(np.array([0, -1, 2, 3])), LabelError, "CrossEntropyLoss, forward", "0", "-1", ""),
    (lambda: labelled(np.array([0, 1, 2])), ShapeError, "CrossEntropyLoss, forward", "4", "3", ""),
    (lambda: labelled(LABELS.astype(np.float32)), NumnetError, "CrossEntropyLoss, forward", "", "float32", ""),
    (lambda: labelled(LABELS, NAN), NonFiniteError, "CrossEntropyLoss, forward", "", "nan at x[0, 0]", ""),
    (
        lambda: nn.MSELoss()(np.ones((4, 1), np.float32), np.ones(4, np.float32)),
        *(ShapeError, "MSELoss, forward", "(4, 1)", "(4,)", "y.reshape((4, 1))"),
    ),
    (lambda: nn.MSELoss()(NAN, 0 * NAN), NonFiniteError, "MSELoss, forward", "", "nan at x[0, 0]", ""),
    (lambda: nn.Conv2d(1, 2, 3, groups=3), OptionError, "", "groups", "", ""),
    (lambda: nn.Dropout(1.5), OptionError, "", "p", "1.5", ""),
    (lambda: nn.BatchNorm2d(3)(images(4, 2, 5, 5)), ShapeError, "BatchNorm2d, forward", "3", "(4, 2, 5, 5)", ""),
    (lambda: nn.Residual(nn.Linear(4, 3))(images(2, 4)), ShapeError, "Residual", "(2, 3)", "(2, 4)", "shortcut"),
    (
        lambda: nn.Call(nn.ReLU()).backward(images(2)),
        BackwardError,
        "ReLU, backward",
        "a recorded",
        "has not run",
        "run",
    ),
    (lambda: Parameter(np.zeros(3, int)), DtypeError, "", "floating", "int64", "astype"),
    (lambda: tensor([1.0, 2.0]).backward(), BackwardError, "", "requires_grad=True", "requires_grad=False", "no_grad"),
    (
        lambda: tensor([1.0]) @ tensor([1.0, 2.0]),
        *(ShapeError, "MatMul, forward", "the same m", "(1,) and (2,)", "transpose"),
    ),
]


def twice(J: Tensor) -> None:
    J.backward()
    J.backward()


@pytest.mark.parametrize("number", range(len(CASES)))
def test_bad_input(number: int) -> None:
    attempt, error, where, expected, got, cure = CASES[number]
    with pytest.raises(error) as caught:
        attempt()
    found = caught.value
    assert found.where.startswith(where)
    assert bool(where) == bool(found.where)
    assert expected in found.expected
    assert got in found.got
    assert cure in found.cure
    assert found.cure, "every error here has a cure"
    text = str(found)
    assert text.startswith("\n")
    for part in (found.where, f"expected: {found.expected}", f"got:      {found.got}", f"cure:     {found.cure}"):
        assert part in text


def test_a_backward_that_cannot_be_says_why() -> None:
    net, found = Digits(), []

    def why() -> None:
        with pytest.raises(BackwardError) as caught:
            net.backward(images(4, 10))
        found.append(caught.value.got)

    net(images())
    thread = threading.Thread(target=why)
    thread.start()
    thread.join()
    with no_grad():
        net(images())
    why()
    with pytest.raises(ShapeError):
        net(images(4, 3, 8, 8))
    why()
    net(images())
    net.backward(images(4, 10))
    why()
    assert found == [
        "no call in this thread",
        "a call under no_grad",
        "a call that ended in an error",
        "a call whose backward has run already",
    ]


FLOATS = np.zeros((4, 10), np.float32)


@pytest.mark.parametrize(
    "attempt, name, wrong",
    [
        (lambda y: labelled(y, FLOATS), "y", LABELS.astype(float)),
        (lambda y: labelled(y, tensor(FLOATS)), "y", tensor(LABELS).float()),
        (lambda y: labelled(y, FLOATS), "y", LABELS[:, None]),
        (lambda y: labelled(y, tensor(FLOATS)), "y", tensor(LABELS[:, None])),
        (lambda y: labelled(y, FLOATS), "y", np.eye(10, dtype=int)[:4]),
        (lambda y: labelled(y, tensor(FLOATS)), "y", tensor(np.eye(10, dtype=int)[:4])),
        (lambda y: labelled(y, FLOATS), "y", np.eye(10)[:4]),
        (lambda y: labelled(y, tensor(FLOATS)), "y", [0, 1, 2, 3]),
        (lambda y: nn.MSELoss()(tensor(FLOATS), y), "y", FLOATS.tolist()),
        (lambda y: nn.MSELoss()(FLOATS[:, :1], y), "y", FLOATS[:, 0]),
        (lambda y: nn.MSELoss()(FLOATS[:1, 0].reshape(()), y), "y", FLOATS[:1, 0]),
        (lambda y: nn.BCEWithLogitsLoss()(FLOATS[:, 0], y), "y", LABELS % 2),
        (lambda x: nn.Linear(10, 2)(x), "x", FLOATS.astype(int)),
        (lambda x: nn.Linear(10, 2)(x), "x", tensor(FLOATS.astype(int))),
        (lambda x: nn.ReLU()(x), "x", tensor(LABELS)),
        (lambda x: nn.Conv2d(1, 2, 3)(x), "x", images(5, 5)),
        (lambda x: nn.Conv2d(3, 2, 3)(x), "x", images(1, 5, 6, 3)),
    ],
)
def test_the_cure_works_when_it_is_followed_to_the_letter(attempt: Any, name: str, wrong: Any) -> None:
    with pytest.raises(NumnetError) as caught:
        attempt(wrong)
    code = re.split(" makes | gives |: ", caught.value.cure)[0]
    attempt(eval(code, {"np": np, name: wrong}))


def test_a_formula_without_ctx_is_refused_where_its_class_is_written() -> None:
    with pytest.raises(DtypeError, match=r"(?s)Double.forward\(self, ctx.*forward\(self, x\).*derive from nn.Module"):

        class Double(nn.Layer):
            def forward(self, x):  # type: ignore[no-untyped-def]
                return 2 * x

    with pytest.raises(DtypeError, match=r"(?s)Triple.backward\(self, ctx.*backward\(self, delta\)"):

        class Triple(nn.Layer):
            def forward(self, ctx, x):  # type: ignore[no-untyped-def]
                return 3 * x

            def backward(self, delta):  # type: ignore[no-untyped-def]
                return 3 * delta


def test_a_layer_without_a_backward_says_so() -> None:
    class Half(nn.Layer):
        def forward(self, ctx, x):  # type: ignore[no-untyped-def]
            return x / 2

    net = nn.Sequential(nn.Linear(3, 2), Half())
    net(images(4, 3))
    with pytest.raises(BackwardError, match=r"(?s)Half '1', backward.*backward\(self, ctx, delta\) in the class Half"):
        net.backward(images(4, 2))


def test_an_empty_batch_is_an_error_or_an_empty_result() -> None:
    net = Digits()
    assert net(images(0, 1, 8, 8)).shape == (0, 10)
    assert net.backward(images(0, 10)).shape == (0, 1, 8, 8)
    assert not net.head[1].weight.grad.any()
    with pytest.raises(NumnetError, match="CrossEntropyLoss, forward"):
        nn.CrossEntropyLoss()(images(0, 10), np.zeros(0, int))
    with pytest.raises(NumnetError, match="MSELoss, forward"):
        nn.MSELoss()(images(0, 10), images(0, 10))


def test_the_innermost_layer_is_named_once() -> None:
    with pytest.raises(ShapeError) as caught:
        nn.Sequential(Digits())(images(4, 3, 8, 8))
    assert caught.value.where.startswith("Conv2d '0.features.0', forward of Conv2d(1, 2")
    assert str(caught.value).count("Conv2d") == 2  # the place, and the layer as it prints


@pytest.mark.parametrize(
    "error, builtin",
    [
        (ShapeError, ValueError),
        (DtypeError, TypeError),
        (OptionError, ValueError),
        (LabelError, IndexError),
        (NonFiniteError, ValueError),
        (BackwardError, RuntimeError),
        (StateDictError, KeyError),
    ],
)
def test_the_builtin_of_the_same_meaning_catches_it(error: type[NumnetError], builtin: type[Exception]) -> None:
    made = error("a", "b", "c")
    assert isinstance(made, builtin)
    assert isinstance(made, NumnetError)
    assert str(made) == "\n  expected: a\n  got:      b\n  cure:     c"
    assert str(error("a", "b")) == "\n  expected: a\n  got:      b"
    assert str(pickle.loads(pickle.dumps(made))) == str(made)


def test_a_missing_extra_says_what_to_install() -> None:
    made = MissingExtraError("rich", "demos")
    assert isinstance(made, ImportError)
    assert 'pip install "numnet[demos]"' in str(made)


@pytest.mark.parametrize(
    "value, words",
    [
        (np.zeros((2, 3), np.float32), "float32 array of shape (2, 3)"),
        (tensor([1, 2]), "int64 Tensor of shape (2,)"),
        (np.float32(1.5), "float32 np.float32(1.5)"),
        (None, "NoneType None"),
        (np.float64, "type <class 'numpy.float64'>"),
        ("text", "str 'text'"),
        ([0] * 100, "list [" + "0, " * 18 + "0, ..."),
    ],
)
def test_describe(value: Any, words: str) -> None:
    assert describe(value)[:60].startswith(words[:60])
    assert len(describe(value)) <= 70
