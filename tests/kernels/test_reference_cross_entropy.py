from __future__ import annotations

import numpy as np
import pytest

from numnet.errors import DtypeError, LabelError, ShapeError
from numnet.kernels import reference


@pytest.mark.parametrize(
    "shape", [(6, 4), (1, 2), (0, 3), (5, 1), (40, 101), (2, 3, 5), (2, 4, 1, 3), (1, 3, 0)], ids=str
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 1.0, np.float64(0.3)])
@pytest.mark.parametrize("ignore_index", [-100, 1])
def test_cross_entropy(shape, weighted, label_smoothing, ignore_index, draw, rng, close, by_torch):
    import torch

    classes = shape[1]
    z = draw(*shape) * 5
    labels = rng.integers(0, classes, shape[:1] + shape[2:])
    labels.flat[::3] = ignore_index
    w = np.abs(draw(classes)) if weighted else None
    theirs = {
        "weight": None if w is None else torch.tensor(w),
        "ignore_index": ignore_index,
        "label_smoothing": float(label_smoothing),
        "reduction": "none",
    }
    J, delta, (delta_z,) = by_torch(
        lambda z: torch.nn.functional.cross_entropy(z, torch.tensor(labels), **theirs), draw, z
    )
    ours, p = reference.cross_entropy(z, labels, w, ignore_index, label_smoothing)
    close(ours, J)
    close(p, torch.softmax(torch.tensor(z), 1))
    close(reference.cross_entropy_backward(p, labels, w, ignore_index, label_smoothing, delta), delta_z)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64])
def test_any_integers_are_labels(kind, draw):
    z, labels = draw(3, 4), np.array([3, 0, 2])
    expected = reference.cross_entropy(z, labels, None, -100, 0.0)
    for ours, theirs in zip(reference.cross_entropy(z, labels.astype(kind), None, -100, 0.0), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_class_ruled_out_does_not_spoil_the_others(dtype):
    z = np.array([[0, -np.inf], [0, -np.inf]], dtype)
    J, p = reference.cross_entropy(z, np.array([0, 1]), None, -100, 0.0)
    np.testing.assert_array_equal(J, [0, np.inf])
    np.testing.assert_array_equal(p, [[1, 0], [1, 0]])


def test_an_ignored_row_may_hold_anything(dtype):
    z = np.array([[0, 0], [np.nan, np.inf]], dtype)
    labels = np.array([0, -100])
    with np.errstate(invalid="ignore"):
        J, p = reference.cross_entropy(z, labels, None, -100, 0.1)
        delta_z = reference.cross_entropy_backward(p, labels, None, -100, 0.1, np.ones(2, dtype))
    assert J[1] == 0
    np.testing.assert_array_equal(delta_z[1], [0, 0])


@pytest.mark.parametrize("label", [10, -1, 255])
def test_a_label_outside_is_named(label, draw):
    labels = np.array([0, 9, 4, label])
    with pytest.raises(LabelError) as caught:
        reference.cross_entropy(draw(4, 10), labels, None, -100, 0.0)
    assert caught.value.expected == "class labels 0 … 9"
    assert caught.value.got == f"label {label} in row 3"
    assert caught.value.cure
    with pytest.raises(LabelError) as caught:
        reference.cross_entropy(draw(2, 10, 2), labels.reshape(2, 2), None, -100, 0.0)
    assert caught.value.got == f"label {label} at y[1, 1]"


def test_what_does_not_fit_is_refused(draw):
    z, labels = draw(3, 4), np.array([0, 1, 2])
    with pytest.raises(ShapeError, match="one label per row"):
        reference.cross_entropy(z, labels[:1], None, -100, 0.0)
    with pytest.raises(ShapeError, match="one weight per class"):
        reference.cross_entropy(z, labels, draw(1), -100, 0.0)
    with pytest.raises(ShapeError, match=r"\(N, C\)"):
        reference.cross_entropy(z[0], labels, None, -100, 0.0)
    with pytest.raises(DtypeError, match="int64"):
        reference.cross_entropy(z, labels.astype(np.float32), None, -100, 0.0)
    with pytest.raises(DtypeError, match="weight"):
        reference.cross_entropy(z, labels, np.ones(4, np.float16), -100, 0.0)
    with pytest.raises(ShapeError, match="delta"):
        reference.cross_entropy_backward(z, labels, None, -100, 0.0, draw(1))
