"""Metrics of classification are scikit-learn's, and PyTorch's where it has them."""

from __future__ import annotations

import math
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numnet import Tensor, metrics, nn
from numnet.errors import DtypeError, LabelError, NonFiniteError, NumnetError, OptionError, ShapeError
from numnet.metrics import accuracy, confusion_matrix, f1, perplexity, precision, recall, top_k_accuracy

sklearn = pytest.importorskip("sklearn.metrics", reason='scikit-learn is not installed: pip install ".[test]"')

PAIRS = [(precision, sklearn.precision_score), (recall, sklearn.recall_score), (f1, sklearn.f1_score)]


@st.composite
def predictions(draw: st.DrawFn, lowest: int = -2, highest: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Predicted and right labels; some classes in neither, in one alone, or in all samples."""
    n = draw(st.integers(1, 12))
    low = draw(st.integers(lowest, highest))
    labels = st.lists(st.integers(low, draw(st.integers(low, highest))), min_size=n, max_size=n)
    return np.array(draw(labels)), np.array(draw(labels))


def same(got: Any, right: Any) -> None:
    np.testing.assert_allclose(got, right, rtol=1e-13, atol=0)


# ---------------------------------------------------------------------------------------------- against scikit-learn


@pytest.mark.proves("C262")
@given(predictions())
def test_accuracy(given: tuple[np.ndarray, np.ndarray]) -> None:
    p, t = given
    same(accuracy(p, t), sklearn.accuracy_score(t, p))
    same(accuracy(Tensor(p), Tensor(t)), sklearn.accuracy_score(t, p))


@pytest.mark.filterwarnings("ignore:A single label")
@given(predictions(), st.none() | st.lists(st.integers(-3, 5), min_size=1, max_size=6, unique=True))
def test_confusion_matrix(given: tuple[np.ndarray, np.ndarray], labels: list[int] | None) -> None:
    p, t = given
    got = confusion_matrix(p, t, labels)
    if labels is None or set(labels) & set(t.tolist()):  # scikit-learn refuses labels none of which occurs
        np.testing.assert_array_equal(got, sklearn.confusion_matrix(t, p, labels=labels))
    else:
        np.testing.assert_array_equal(got, np.zeros((len(labels), len(labels))))


@pytest.mark.proves("C263")
@given(
    predictions(),
    st.sampled_from(["macro", "micro", "weighted", None]),
    st.none() | st.lists(st.integers(-3, 5), min_size=1, max_size=6, unique=True),
    st.sampled_from([0.0, 1.0, np.nan]),
    st.sampled_from(PAIRS),
)
def test_precision_recall_f1_of_many_classes(
    given: tuple[np.ndarray, np.ndarray], average: Any, labels: list[int] | None, zero_division: float, pair: Any
) -> None:
    p, t = given
    ours, theirs = pair
    right = theirs(t, p, average=average, labels=labels, zero_division=zero_division)
    got = ours(p, t, average, labels=labels, zero_division=zero_division)
    assert isinstance(got, np.ndarray if average is None else float)
    same(got, right)


@pytest.mark.proves("C263")
@given(predictions(0, 1), st.integers(0, 1), st.sampled_from([0.0, 1.0, np.nan]), st.sampled_from(PAIRS))
def test_precision_recall_f1_of_two_classes(
    given: tuple[np.ndarray, np.ndarray], pos_label: int, zero_division: float, pair: Any
) -> None:
    p, t = given
    ours, theirs = pair
    right = theirs(t, p, pos_label=pos_label, zero_division=zero_division)
    same(ours(p, t, pos_label=pos_label, zero_division=zero_division), right)
    same(ours(p.astype(bool), t.astype(bool), pos_label=pos_label, zero_division=zero_division), right)


def test_two_classes_without_a_positive_one() -> None:
    zeros = np.zeros(3, int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of 0/0
        for ours, theirs in PAIRS:
            assert ours(zeros, zeros) == theirs(zeros, zeros) == 0
            assert ours(zeros, zeros, pos_label=0) == theirs(zeros, zeros, pos_label=0) == 1


@st.composite
def scored(draw: st.DrawFn, ties: bool) -> tuple[np.ndarray, np.ndarray, int]:
    n, C = draw(st.integers(1, 8)), draw(st.integers(3, 7))
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 3, (n, C)).astype(float) if ties else rng.permutation(n * C).reshape(n, C).astype(float)
    return scores, rng.integers(C, size=n), draw(st.integers(1, C - 1))


@pytest.mark.proves("C264")
@given(scored(ties=False))
def test_top_k(given: tuple[np.ndarray, np.ndarray, int]) -> None:
    s, t, k = given
    same(top_k_accuracy(s, t, k), sklearn.top_k_accuracy_score(t, s, k=k, labels=range(s.shape[1])))
    assert top_k_accuracy(s, t, s.shape[1]) == 1
    assert top_k_accuracy(s, t, 1) == accuracy(s, t)


@given(scored(ties=True))
def test_top_k_of_equal_scores_takes_the_lower_class(given: tuple[np.ndarray, np.ndarray, int]) -> None:
    s, t, k = given
    C = s.shape[1]  # scikit-learn takes the higher one: the same with the classes in the other order
    same(top_k_accuracy(s, t, k), sklearn.top_k_accuracy_score(C - 1 - t, s[:, ::-1], k=k, labels=range(C)))
    assert top_k_accuracy(s, t, 1) == accuracy(s, t) == sklearn.accuracy_score(t, s.argmax(axis=1))


@pytest.mark.proves("C264")
def test_top_5_error() -> None:
    s = np.tile(np.arange(10.0), (10, 1))  # class 9 first, class 0 last
    assert 1 - top_k_accuracy(s, np.arange(10)) == 0.5
    assert 1 - top_k_accuracy(s, np.arange(10), k=1) == 0.9


# ---------------------------------------------------------------------------------------------- scores


@pytest.mark.proves("C262", "C263")
def test_scores_and_labels_give_the_same() -> None:
    rng = np.random.default_rng(0)
    z, t = rng.standard_normal((40, 4)).astype(np.float32), rng.integers(4, size=40)
    p = z.argmax(axis=1)
    assert accuracy(z, t) == accuracy(p, t) == accuracy(Tensor(z), Tensor(t)) == (p == t).mean()
    np.testing.assert_array_equal(confusion_matrix(z, t), confusion_matrix(p, t))
    for metric in (precision, recall, f1):
        assert metric(z, t, "macro") == metric(p, t, "macro")


def test_classes_along_axis_1_as_the_cross_entropy_has_them() -> None:
    z = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    t = np.random.default_rng(1).integers(3, size=(2, 4, 5))
    rows, labels = np.moveaxis(z, 1, -1).reshape(-1, 3), t.reshape(-1)
    assert accuracy(z, t) == accuracy(rows, labels)
    assert top_k_accuracy(z, t, 2) == top_k_accuracy(rows, labels, 2)
    assert perplexity(z, t) == pytest.approx(perplexity(rows, labels), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.proves("C252")
def test_perplexity_is_1_for_a_perfect_model_and_v_for_one_that_knows_nothing(dtype: Any, torch: ModuleType) -> None:
    V, t = 28, np.arange(50) % 28
    assert perplexity(np.zeros((50, V), dtype), t) == pytest.approx(V, rel=1e-6)
    assert perplexity(100 * np.eye(V, dtype=dtype)[t], t) == 1
    assert perplexity(-800 * np.eye(V, dtype=dtype)[t], t) == math.inf
    z = np.random.default_rng(0).standard_normal((50, V)).astype(dtype)
    J = nn.CrossEntropyLoss()(z, t)
    right = math.exp(torch.nn.functional.cross_entropy(torch.from_numpy(z), torch.from_numpy(t)).item())
    assert perplexity(Tensor(z), t) == pytest.approx(math.exp(J), rel=1e-6)
    assert perplexity(z, t) == pytest.approx(right, rel=1e-6)
    assert perplexity(z, t) > 1
    padded = np.where(np.arange(50) < 10, t, -100)
    assert perplexity(z, padded) == pytest.approx(perplexity(z[:10], t[:10]), rel=1e-6)


@pytest.mark.proves("C227", "C262")
@pytest.mark.parametrize("ties", [False, True])
def test_the_accuracy_that_the_tutorial_computes_by_hand(torch: ModuleType, ties: bool) -> None:
    rng = np.random.default_rng(0)
    log_ps = np.log(rng.dirichlet(np.ones(10), 64)).astype(np.float32)
    log_ps = np.round(log_ps) if ties else log_ps
    labels = np.where(rng.random(64) < 0.6, log_ps.argmax(axis=1), rng.integers(10, size=64))
    ps, right = Tensor(log_ps).exp(), Tensor(labels)

    top_p, top_class = ps.topk(1, dim=1)
    equals = top_class == right.view(*top_class.shape)
    by_hand = equals.float().mean().item()

    assert top_class.shape == top_p.shape == (64, 1)
    assert 0.5 < by_hand < 1
    same = pytest.approx(by_hand, rel=1e-6)
    assert accuracy(log_ps, labels) == accuracy(ps, right) == accuracy(top_class.view(-1), right) == same
    assert accuracy(top_class, right.view(*top_class.shape)) == top_k_accuracy(ps, right, k=1) == same
    if not ties:  # of equals PyTorch takes any
        theirs = torch.exp(torch.from_numpy(log_ps)).topk(1, dim=1)[1]
        np.testing.assert_array_equal(top_class.array, theirs.numpy())
        in_torch = theirs == torch.from_numpy(labels).view(*theirs.shape)
        assert torch.mean(in_torch.type(torch.FloatTensor)).item() == same


@pytest.mark.proves("C264")
def test_top_k_accuracy_is_what_topk_finds() -> None:
    rng = np.random.default_rng(0)
    z, labels = rng.integers(0, 6, (200, 10)).astype(np.float32), rng.integers(10, size=200)  # with ties
    for k in range(1, 11):
        found = (Tensor(z).topk(k, dim=1).indices.array == labels[:, None]).any(axis=1)
        assert top_k_accuracy(z, labels, k) == found.mean()


# ---------------------------------------------------------------------------------------------- refusals

T = np.array([0, 1, 1])
Z = np.array([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3]])


@pytest.mark.parametrize(
    "output, target, error, words",
    [
        (T, Z, DtypeError, r"\(output, target\), and not scikit-learn's"),
        (Z, T.astype(float), DtypeError, r"target\.astype\(np\.int64\)"),
        (Z, np.eye(2)[T], DtypeError, r"target\.argmax\(axis=1\)"),
        ([0, 1, 1], T, DtypeError, r"np\.asarray\(output\)"),
        (T, ["a", "b", "b"], DtypeError, r"np\.asarray\(target\)"),
        (Z, T[:2], ShapeError, "a row of scores for each label"),
        (Z, T[:, None], ShapeError, r"target\.reshape\(-1\)"),
        (T, T[:, None], ShapeError, r"target\.reshape\(output\.shape\)"),
        (Z[:, 0], T, ShapeError, r"p > 0\.5"),
        (Z[:, :1], T, ShapeError, r"one column(?s:.*)p > 0\.5"),
        (Z, T + 1, LabelError, r"0 … 1(?s:.*)2(?s:.*)3 outputs"),
        (Z, T - 1, LabelError, "-1"),
        (Z[:0], T[:0], ShapeError, "at least one sample"),
        (T[:0], T[:0], ShapeError, "at least one sample"),
        (np.where(Z > 0.8, np.nan, Z), T, NonFiniteError, "1 of 6"),
        (Z.astype(complex), T, DtypeError, "complex"),
    ],
)
def test_what_does_not_go_together(output: Any, target: Any, error: type[NumnetError], words: str) -> None:
    for metric in (accuracy, confusion_matrix, precision, recall, f1):
        with pytest.raises(error, match=words):
            metric(output, target)


def test_other_refusals() -> None:
    three = np.array([0, 1, 2])
    with pytest.raises(OptionError, match=r"(?s)3 that occur.*macro"):
        precision(three, three)
    with pytest.raises(OptionError, match="pos_label=7"):
        recall(T, T, pos_label=7)
    with pytest.raises(OptionError, match="average='mean'"):
        f1(T, T, average="mean")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="twice"):
        confusion_matrix(T, T, labels=[0, 0])
    with pytest.raises(DtypeError, match="labels as integers"):
        confusion_matrix(T, T, labels=[0.5])  # type: ignore[list-item]
    for k in (0, 3):
        with pytest.raises(OptionError, match=rf"1 to the 2 classes(?s:.*)k={k}"):
            top_k_accuracy(Z, T, k)
    with pytest.raises(DtypeError, match="floating-point scores"):
        top_k_accuracy(T, T)


def test_nothing_is_written_into() -> None:
    z, t = Z.copy(), T.copy()
    z.flags.writeable = t.flags.writeable = False
    for name in ("accuracy", "confusion_matrix", "f1", "perplexity", "precision", "recall"):
        getattr(metrics, name)(z, t)
