"""Every public name of PyTorch's is ours, or has its reason; docs/names.md says so, and is what tools/names writes."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "names"


@pytest.fixture(scope="module")
def names(torch: ModuleType) -> ModuleType:
    """The script as a module."""
    loader = SourceFileLoader("names", str(SCRIPT))
    spec = importlib.util.spec_from_loader("names", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_every_name_is_ours_or_has_a_reason(names: ModuleType) -> None:
    assert names.faults() == []


def test_every_argument_is_ours_or_has_a_reason(names: ModuleType) -> None:
    assert names.argument_faults() == []


def test_the_page_is_what_the_script_writes(names: ModuleType) -> None:
    assert names.PAGE.read_text(encoding="utf-8") == names.page(), "run tools/names"


def test_names_are_found(names: ModuleType, torch: ModuleType) -> None:
    """Those of a module without ``__all__`` too: its own classes, functions and modules, not what it imports."""
    found = names.public(torch.nn)
    assert {"Linear", "LazyLinear", "Parameter", "utils", "quantized"} <= set(found)
    assert {"relu", "conv2d", "max_pool2d", "linear"} <= set(names.public(torch.nn.functional))
    assert not {"math", "np", "torch", "Tensor", "Callable", "warnings"} & set(names.public(torch.nn.functional))
    assert "StepLR" in names.public(torch.optim.lr_scheduler)
    assert "wraps" not in names.public(torch.optim.lr_scheduler)
    assert "Linear" in names.ours("numnet.nn")
    assert names.ours("numnet.nn.nothing") == names.ours("numnet.nothing.at_all") == set()


def test_a_name_without_a_reason_and_a_reason_without_need_are_faults(
    names: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(names.LEFT_OUT["torch.optim"], "It is not needed.", "SGD Nothing")
    without = {reason: left for reason, left in names.LEFT_OUT["torch.nn"].items() if reason != names.LAZY}
    monkeypatch.setitem(names.LEFT_OUT, "torch.nn", without)
    found = names.faults()
    assert "torch.nn.LazyLinear is not in numnet.nn and has no reason" in found
    assert "torch.optim.SGD has a reason, and is in numnet.optim" in found
    assert "torch.optim.Nothing has a reason, and PyTorch has no such name" in found
    monkeypatch.setattr(names, "PAGE", Path("not", "written"))  # which would fail, for want of a folder
    assert names.main() == 1


def test_arguments_that_differ_are_faults(names: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def sgd(lr: float, params: object, momentum: float = 0.5) -> None: ...

    monkeypatch.setattr("numnet.optim.SGD", sgd)
    monkeypatch.setitem(names.ARGUMENTS, "Not wanted.", "SGD.nesterov SGD.weight_decay Adam.lr")
    found = [fault for fault in names.argument_faults() if "SGD" in fault or "Adam.lr" in fault]
    assert "numnet.optim.SGD takes no dampening" in found
    assert "numnet.optim.SGD has momentum=0.5, and PyTorch 0" in found
    assert "numnet.optim.SGD takes its arguments in another order than params, lr, momentum" in found
    assert "Adam.lr has a reason, and needs none" in found
    assert not any("nesterov" in fault or "foreach" in fault for fault in found)
