from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numnet import explain_difference, manual_seed, nn, optim
from numnet.errors import DtypeError, OptionError
from numnet.inspect import formulas
from numnet.random import default_rng

P = [nn.Parameter(np.ones(1))]
PAIRS: list[tuple[Any, Any, str]] = [  # and where they part first
    (nn.MSELoss(), nn.MSELoss(reduction="half_sum"), "output: "),
    (nn.BatchNorm1d(3), nn.BatchNorm1d(3, momentum_convention="keras"), "running_mean[0]: "),
    (nn.BatchNorm2d(3), nn.BatchNorm2d(3, momentum_convention="keras"), "running_mean[0]: "),
    (nn.Dropout(0.2), nn.Dropout(0.2, classic=True), "output[0, "),
    (optim.RMSprop(P), optim.RMSprop(P, eps_inside_root=True), "w after step 1[0]: "),
    (
        optim.SGD(P, momentum=0.9),
        optim.SGD(P, momentum=0.9, dampening=0.9),
        "w after step 2[0]: 0.997101 and 0.9980001",
    ),
]


@pytest.mark.parametrize("a, b, place", PAIRS, ids=lambda v: v if isinstance(v, str) else type(v).__name__)
def test_both_formulas_and_the_first_numbers_that_part(
    a: Any, b: Any, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    explain_difference(a, b)
    text = capsys.readouterr().out
    for block in formulas(a):
        assert all(line in text for line in block)
    after = text.partition("they part in\n  ")[2].splitlines()[0]
    assert after.startswith(place)
    left, right = after.rpartition(": ")[2].split(" and ")
    assert float(left) != float(right)


@pytest.mark.parametrize(
    "a, b",
    [
        (nn.BatchNorm1d(3), nn.BatchNorm1d(3, momentum=0.9, momentum_convention="keras")),
        (nn.HuberLoss(delta=1.0), nn.SmoothL1Loss(beta=1.0)),
        (nn.Linear(3, 2), nn.Linear(3, 2)),
        (optim.SGD(P, lr=0.1), optim.SGD(P, lr=0.1)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_the_same_in_other_words_does_not_part(a: Any, b: Any, capsys: pytest.CaptureFixture[str]) -> None:
    explain_difference(a, b)
    assert "they do not part in " in capsys.readouterr().out


def test_nothing_of_either_changes(capsys: pytest.CaptureFixture[str]) -> None:
    a, b = nn.BatchNorm1d(3), nn.BatchNorm1d(3, momentum=0.5)
    before = [{k: v.copy() for k, v in layer.state_dict().items()} for layer in (a, b)]
    manual_seed(1)
    state = default_rng().bit_generator.state["state"]["counter"].copy()
    explain_difference(a, b)
    explain_difference(nn.Dropout(rng=np.random.default_rng(0)), nn.Dropout(rng=np.random.default_rng(9)))
    assert "they do not part" in capsys.readouterr().out
    np.testing.assert_array_equal(default_rng().bit_generator.state["state"]["counter"], state)
    for layer, kept in zip((a, b), before, strict=True):
        for key, value in layer.state_dict().items():
            np.testing.assert_array_equal(value, kept[key])
        assert all(p.grad is None for p in layer.parameters())


def test_own_inputs_and_refusals(capsys: pytest.CaptureFixture[str]) -> None:
    y = np.array([1, 0])
    explain_difference(nn.CrossEntropyLoss(), nn.CrossEntropyLoss(label_smoothing=0.1), np.eye(2), y)
    assert "label_smoothing=0.1" in capsys.readouterr().out
    with pytest.raises(OptionError, match=r"explain_difference\(a, b, x\)"):
        explain_difference(nn.CTCLoss(), nn.CTCLoss())
    with pytest.raises(DtypeError, match="compare like with like"):
        explain_difference(nn.ReLU(), optim.SGD(P))
