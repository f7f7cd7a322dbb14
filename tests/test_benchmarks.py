"""The benchmarks: that they throw away what was disturbed, compare before they time, and report what they found."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

TREE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def benchmarks(torch: ModuleType) -> Iterator[Callable[[str], ModuleType]]:
    """What imports a module of the folder, which is not installed and not on the path."""
    folder = TREE / "benchmarks"
    spec = importlib.util.spec_from_file_location(
        "benchmarks", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)
    yield lambda name: importlib.import_module(f"benchmarks.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


# ------------------------------------------------------------------------------------------------ timing


class Machine:
    """A clock that stands still but for what the contestants take, by plan: seconds, and the share of the processor."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self.log: list[str] = []

    def contestant(self, name: str, plan: Callable[[int], tuple[float, float]]) -> Callable[[], None]:
        def run() -> None:
            seconds, share = plan(self.log.count(name))
            self.log.append(name)
            self.wall += seconds
            self.cpu += seconds * share

        return run

    def contest(self, timing: ModuleType, rounds: int, **plans: Callable[[int], tuple[float, float]]) -> Any:
        clock = timing.Clock(lambda: self.wall, lambda: self.cpu)
        contestants = {name: self.contestant(name, plan) for name, plan in plans.items()}
        return timing.contest(contestants, timing.Effort(rounds, 1.0, 1), clock)


@pytest.fixture
def timing(benchmarks: Callable[[str], ModuleType]) -> ModuleType:
    return benchmarks("timing")


def test_rounds_go_there_and_back(timing: ModuleType) -> None:
    machine = Machine()
    result = machine.contest(timing, 2, a=lambda _: (1.0, 1.0), b=lambda _: (4.0, 1.0))
    assert "".join(machine.log) == "ab" + 2 * "abba"  # each is called once to warm up
    assert result.seconds == {"a": 1.0, "b": 4.0}
    assert result.ratio("a", "b") == timing.Ratio(0.25, 0.25, 0.25)
    assert (result.disturbed, result.noisy) == (0, False)


def test_short_calls_are_repeated_until_a_pass_lasts(timing: ModuleType) -> None:
    machine = Machine()
    result = machine.contest(timing, 1, a=lambda _: (0.25, 1.0))
    assert len(machine.log) == 1 + 2 * (1 + 4)  # a pass begins with one that is not timed
    assert result.seconds == {"a": 0.25}


def test_the_median_of_ratios_and_their_quartiles(timing: ModuleType) -> None:
    speeds = [1.0, 1.0, 1.1, 1.1, 1.2, 1.2, 1.3, 1.3, 1.4, 1.4]  # two passes a round, after the warm-up
    result = Machine().contest(timing, 5, a=lambda i: ([1.0, *speeds][i], 1.0), b=lambda _: (2.0, 1.0))
    assert result.ratio("a", "b") == pytest.approx((0.6, 0.55, 0.65))
    assert result.seconds == pytest.approx({"a": 1.2, "b": 2.0})


@pytest.mark.parametrize("disturbed", [(1.0, 0.5), (1.6, 1.0)], ids=["others had the processor", "far off the median"])
def test_a_disturbed_round_is_thrown_away_and_made_again(timing: ModuleType, disturbed: tuple[float, float]) -> None:
    machine = Machine()
    plan = {4: disturbed}  # the second round, back
    result = machine.contest(timing, 4, a=lambda i: plan.get(i, (1.0, 1.0)), b=lambda _: (1.0, 1.0))
    assert (result.disturbed, result.noisy, len(result.rounds)) == (1, False, 4)
    assert all(times == pytest.approx({"a": 1.0, "b": 1.0}) for times in result.rounds)
    assert machine.log.count("a") == 1 + 2 * 5


def test_where_everything_is_disturbed_it_ends_and_says_so(timing: ModuleType) -> None:
    result = Machine().contest(timing, 4, a=lambda _: (1.0, 0.5), b=lambda _: (2.0, 0.5))
    assert (result.disturbed, result.noisy, len(result.rounds)) == (12, True, 12)
    assert result.ratio("a", "b").median == 0.5


# ------------------------------------------------------------------------------------------------ the same numbers


@pytest.fixture
def models(benchmarks: Callable[[str], ModuleType]) -> ModuleType:
    return benchmarks("models")


def network(models: ModuleType, name: str) -> Any:
    (found,) = [network for network in models.NETWORKS if network.name.startswith(name)]
    return found


@pytest.mark.parametrize("name, best", [("x²", False), ("LeNet", True), ("LSTM", True)])
def test_both_sides_compute_the_same(models: ModuleType, name: str, best: bool) -> None:
    ours = models.Numnet(network(models, name), batch=2)
    theirs = models.PyTorch(network(models, name), batch=2, best=best)
    models.agree(ours, theirs, 1e-4)
    before = ours.optimizer.param_groups[0]["params"][0].array.copy()
    ours.step()
    theirs.step()
    assert np.abs(ours.optimizer.param_groups[0]["params"][0].array - before).max() < 1e-6


@pytest.mark.parametrize("name", ["MLP 784-256-10", "LeNet"])
def test_numpy_by_hand_computes_the_same(models: ModuleType, name: str) -> None:
    small = dataclasses.replace(network(models, name), batch=3)
    models.agree(models.Numnet(small, np.float64), models.ByHand(small), 1e-10)


def test_a_difference_is_noticed(models: ModuleType) -> None:
    ours, theirs = (side(network(models, "LeNet"), batch=2) for side in (models.Numnet, models.PyTorch))
    theirs.y = 9 - theirs.y
    with pytest.raises(models.DisagreementError, match="LeNet: J is"):
        models.agree(ours, theirs, 1e-4)
    small = dataclasses.replace(network(models, "LeNet"), batch=2)
    by_hand = models.ByHand(small)
    formulas = by_hand.formulas
    by_hand.formulas = lambda *arguments: (formulas(*arguments)[0], [2 * g for g in formulas(*arguments)[1]])
    with pytest.raises(models.DisagreementError, match=r"∂J/∂\(features.0.weight\) differs by 0.5"):
        models.agree(models.Numnet(small, np.float64), by_hand, 1e-10)


def test_layers_compute_the_same(benchmarks: Callable[[str], ModuleType]) -> None:
    layers = benchmarks("layers")
    assert len({(case.text, case.shapes) for case in layers.LAYERS}) == len(layers.LAYERS) >= 60
    for case in layers.LAYERS[::8]:
        layers.sides(case)


# ------------------------------------------------------------------------------------------------ the report


def row(benchmarks: Callable[[str], ModuleType], **changes: Any) -> Any:
    rows, timing = benchmarks("rows"), benchmarks("timing")
    said = {"part": "models", "name": "LeNet", "work": "training, batch 2", "threads": 1, "ours": 0.0123}
    said |= {"against": "best: NCHW, SGD", "other": 0.02, "ratio": timing.Ratio(0.62, 0.6, 0.65), "goal": 0.65}
    return rows.Row(**{**said, "rounds": 12, "disturbed": 3, **changes})


def test_a_table_says_what_was_found(benchmarks: Callable[[str], ModuleType]) -> None:
    report, Ratio = benchmarks("report"), benchmarks("timing").Ratio
    missed = row(benchmarks, name="NiN", ratio=Ratio(0.9, 0.8, 1.0), noisy=True)
    inference = row(benchmarks, work="inference, batch 1", goal=None, ours=2e-6)
    text = report.table([row(benchmarks), missed, inference])
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    beside = ["12.3 ms", "best: NCHW, SGD", "20 ms"]
    assert cells[2] == ["LeNet", "training, batch 2", "1", *beside, "0.62 (0.60–0.65)", "≤ 0.65", "yes", "12 + 3", ""]
    assert cells[3][-3:] == ["**no**", "12 + 3", "not known yet; noisy: too few undisturbed rounds"]
    assert cells[6][3] == "2 µs"
    assert "1 of 2 goals are met. Farthest off: NiN, training, batch 2 (0.90, goal ≤ 0.65)." in text
    assert text.index("### Training") < text.index("### Inference")
    share = row(benchmarks, part="kernels", at_least=True, goal=0.75, unit="GFLOP/s", ours=81.0)
    assert share.met is False
    assert "| ≥ 0.75 |" in report.table([share])


def test_a_page_gets_its_tables_and_pictures(benchmarks: Callable[[str], ModuleType], tmp_path: Path) -> None:
    report = benchmarks("report")
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmarks: models -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
    report.write(page, {"models": "new \\1"})
    report.write(page, {"models": "new \\1"})
    assert page.read_text(encoding="utf-8") == "before\n<!-- benchmarks: models -->\nnew \\1\n<!-- end -->\nafter\n"
    with pytest.raises(ValueError, match="0 places for layers"):
        report.write(page, {"layers": "new"})
    default = row(benchmarks, against="default: NCHW, SGD")
    layer = row(benchmarks, part="layers", name="ReLU()", work="7×1001")
    sizes = [row(benchmarks, part="scaling", name="batch", work=str(size)) for size in (32, 64)]
    pictures = report.draw([row(benchmarks), default, layer, *sizes], tmp_path)
    assert [picture.name for picture in pictures] == [f"performance_{p}.png" for p in ("models", "layers", "scaling")]
    assert all(picture.stat().st_size > 5000 for picture in pictures)


def test_the_page_has_a_place_for_every_part(benchmarks: Callable[[str], ModuleType]) -> None:
    page = (TREE / "docs" / "performance.md").read_text(encoding="utf-8")
    for part in ("conditions", *benchmarks("report").PARTS):
        assert page.count(f"<!-- benchmarks: {part} -->") == 1, part


def test_the_command(
    benchmarks: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    timing = benchmarks("timing")
    monkeypatch.setattr(timing, "QUICK", timing.Effort(1, 0.001, 1))
    command, raw = benchmarks("__main__"), tmp_path / "raw.json"
    arguments = ["models", "--only", "logistic", "--threads", "1", "--quick", "--json", str(raw)]
    assert command.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "processor: " in printed
    assert "| logistic regression | training, batch 100 |" in printed
    rows = json.loads(raw.read_text(encoding="utf-8"))["rows"]
    assert [r["against"] for r in rows[:2]] == ["default: SGD", "best: SGD fused"]
    assert {r["work"] for r in rows} == {"training, batch 100", "inference, batch 1", "inference, batch 100"}
    assert all(r["ratio"]["low"] <= r["ratio"]["median"] <= r["ratio"]["high"] for r in rows)
    for refused in (["modells"], ["models", "--only", "LeNet", "--write"]):
        with pytest.raises(SystemExit):
            command.main(refused)
