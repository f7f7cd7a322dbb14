"""The benchmarks: that they throw away what was disturbed, compare before they time, and report what they found."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import numnet

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


def test_after_a_while_fewer_rounds_will_do(timing: ModuleType) -> None:
    def rounds(limit: float, plan: Callable[[int], tuple[float, float]]) -> int:
        machine = Machine()
        clock = timing.Clock(lambda: machine.wall, lambda: machine.cpu)
        contestants = {"a": machine.contestant("a", plan)}
        return len(timing.contest(contestants, timing.Effort(9, 1.0, 1, limit), clock).rounds)

    assert rounds(6.5, lambda _: (1.0, 1.0)) == 5
    assert rounds(14.5, lambda _: (1.0, 1.0)) == 8
    assert rounds(4.5, lambda _: (1.0, 0.5)) == 7  # all of them disturbed: three times as long


def test_who_leaves_the_work_to_other_threads_is_not_disturbed_by_that(timing: ModuleType) -> None:
    machine = Machine()
    clock = timing.Clock(lambda: machine.wall, lambda: machine.cpu)
    contestants = {
        "a": machine.contestant("a", lambda _: (1.0, 1.0)),
        "b": machine.contestant("b", lambda _: (1.0, 0.1)),
    }
    assert timing.contest(contestants, timing.Effort(3, 1.0, 1), clock).noisy
    assert not timing.contest(contestants, timing.Effort(3, 1.0, 1), clock, waiting={"b"}).noisy


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


@pytest.mark.parametrize("name, best", [("x²", False), ("LeNet", True), ("LSTM", True), ("GPT", True)])
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


@pytest.mark.parametrize("name", ["RNN", "x²"])
def test_both_sides_predict_the_same(
    benchmarks: Callable[[str], ModuleType], models: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found, effort = network(models, name), benchmarks("timing").Effort(1, 0.0, 1)
    rows = list(models.infer(found, 1, effort))
    assert [row.work for row in rows] == [work for work in models.works(found)[1:3] for _ in range(2)]
    monkeypatch.setattr(models.PyTorch, "take_weights", lambda *_: None)
    with pytest.raises(models.DisagreementError, match="other predictions"):
        list(models.infer(found, 1, effort))


def test_a_difference_is_noticed(models: ModuleType) -> None:
    ours, theirs = (side(network(models, "LeNet"), batch=2) for side in (models.Numnet, models.PyTorch))
    theirs.y = 9 - theirs.y
    with pytest.raises(models.DisagreementError, match="LeNet: J is"):
        models.agree(ours, theirs, 2e-2)  # which is for gradients
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


def test_both_sides_take_the_same_gradients(benchmarks: Callable[[str], ModuleType]) -> None:
    layers = benchmarks("layers")

    def taken(text: str) -> list[bool]:
        case = next(case for case in layers.LAYERS if case.text.startswith(text))
        ours, theirs = layers.sides(case)
        found = ours.found if isinstance(ours.found, tuple) else (ours.found,)
        assert len(found) == case.times * sum(leaf.grad is not None for leaf in theirs.leaves)
        return [leaf.grad is not None for leaf in theirs.leaves]

    assert taken("MSELoss") == [True, False]  # ∂J/∂(target) is nobody's
    assert taken("CosineSimilarity") == [True, True]
    assert taken("MultiheadAttention") == [True]


# ------------------------------------------------------------------------------------------------ the report


def row(benchmarks: Callable[[str], ModuleType], **changes: Any) -> Any:
    rows, timing = benchmarks("rows"), benchmarks("timing")
    said = {"part": "models", "name": "LeNet", "work": "training, batch 2", "threads": 1, "ours": 0.0123}
    said |= {"against": "best: NCHW, SGD", "other": 0.02, "ratio": timing.Ratio(0.62, 0.6, 0.65), "goal": 0.65}
    return rows.Row(**{**said, "rounds": 12, "disturbed": 3, **changes})


ABOUT = {"date": "2026-11-21", "effort": "full"}
AT_TWO = ["2 threads", "numnet : other"]


def cells_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line[:1] == "|"]
    return [[cell.strip().replace("\N{NO-BREAK SPACE}", " ") for cell in line.strip("|").split("|")] for line in lines]


def test_a_table_says_what_was_found(benchmarks: Callable[[str], ModuleType]) -> None:
    report, Ratio = benchmarks("report"), benchmarks("timing").Ratio
    other = row(benchmarks, against="JAX (jit): SGD", goal=None, ratio=Ratio(1.2, 1.1, 1.3))
    missed = row(benchmarks, name="NiN", ratio=Ratio(0.9, 0.8, 1.0), noisy=True)
    inference = row(benchmarks, work="inference, batch 1", goal=None, ours=2e-6)
    text = report.table([row(benchmarks), other, missed, row(benchmarks, name="NiN", threads=2), inference], ABOUT)
    assert "0 of 0" not in text
    assert text.index("### Training") < text.index("### Inference")
    training, inference = (cells_of(part) for part in text.split("### Inference"))
    assert training[0] == ["network", "beside", "goal", *["1 thread", "numnet : other"], *AT_TWO]
    assert training[2] == ["LeNet, batch 2", "best: NCHW, SGD", "≤ 0.65", "0.62 ± 0.03", "12.3 : 20 ms", "", ""]
    assert training[3][:4] == ["", "JAX (jit): SGD", "", "1.20 ± 0.10 ahead of us"]
    assert training[4][0] == "NiN, batch 2"
    assert training[4][3:] == ["**0.90** ± 0.10 [1] noisy", "12.3 : 20 ms", "0.62 ± 0.03", "12.3 : 20 ms"]
    assert inference[2][2:] == ["0.62 ± 0.03", "2 µs : 20 ms"]
    assert "2 of 3 goals are met. Farthest off: NiN, training, batch 2 (0.90, goal ≤\N{NO-BREAK SPACE}0.65)." in text
    assert "Why goals are missed:\n\n1. not known yet\n" in text
    assert text.endswith("*Measured on 2026-11-21, full: rounds 48, others thrown away as disturbed 9; noisy rows 1.*")
    share = row(benchmarks, part="kernels", at_least=True, goal=0.75, unit="GFLOP/s", ours=81.0)
    assert share.met is False
    assert "| ≥\N{NO-BREAK SPACE}0.75 |" in report.table([share], ABOUT)


def test_a_page_gets_its_tables_and_pictures(benchmarks: Callable[[str], ModuleType], tmp_path: Path) -> None:
    report, plots = benchmarks("report"), benchmarks("plots")
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
    (tmp_path / "images").mkdir()
    pictures = plots.draw([row(benchmarks), default, layer, *sizes], tmp_path / "performance.md")
    assert [picture.name for picture in pictures] == [f"performance_{p}.png" for p in ("models", "layers", "scaling")]
    assert all(picture.stat().st_size > 5000 for picture in pictures)


def test_the_page_has_a_place_for_every_part(benchmarks: Callable[[str], ModuleType]) -> None:
    page = (TREE / "docs" / "performance.md").read_text(encoding="utf-8")
    parts = benchmarks("plan").PARTS
    assert set(parts) == set(benchmarks("report").COLUMNS)
    for part in ("conditions", *parts):
        assert page.count(f"<!-- benchmarks: {part} -->") == 1, part


def test_the_narrowest_reason_is_given(benchmarks: Callable[[str], ModuleType]) -> None:
    reasons = benchmarks("reasons")
    widest = reasons.Reason("models", None, "of the part")
    wide = reasons.Reason("models", "LeNet", "wide")
    training = reasons.Reason("models", "LeNet", "of training beside the best", "training", "best")
    at_two = reasons.Reason("models", "LeNet", "at two", "training, batch 2", "best", 2)
    given = [
        reasons.reason_of(row(benchmarks, **changes), (widest, wide, at_two, training))
        for changes in (
            {},
            {"threads": 2},
            {"against": "default: SGD"},
            {"work": "inference, batch 1"},
            {"name": "NiN"},
            {"part": "layers"},
        )
    ]
    assert given == ["of training beside the best", "at two", "wide", "wide", "of the part", "not known yet"]


def test_every_reason_is_of_a_row_that_is_measured(benchmarks: Callable[[str], ModuleType]) -> None:
    plan, reasons = benchmarks("plan"), benchmarks("reasons")
    works: dict[tuple[str, str], set[str]] = {}
    for job in plan.jobs(threads=(1, 2)):
        whole = works.setdefault((job.part, job.name), set())
        whole |= {*job.works, *(work.partition(",")[0] for work in job.works)}
    assert {part for part, _ in works} == set(plan.PARTS) - ({"avx2"} if not benchmarks("avx2").has_more() else set())
    for reason in reasons.REASONS:
        fitting = [of for (part, name), of in works.items() if part == reason.part and reason.name in (None, name)]
        assert fitting, reason
        assert reason.work is None or any(reason.work in of for of in fitting), reason
        assert reason.beside in (None, "default", "best", "NumPy by hand", "peak (avx512)"), reason
        assert reason.why, reason


def test_the_rows_are_those_of_the_plan(
    benchmarks: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, timing = benchmarks("plan"), benchmarks("timing")
    monkeypatch.setattr(timing, "QUICK", timing.Effort(1, 0.0, 1))
    monkeypatch.setattr(benchmarks("scaling"), "SIZES", 2)
    wanted = ("MLP 784-256-10", "Linear(20, 7)", "linear, 256 × 784 → 256", "layers of an MLP of width 64, batch 1024")
    jobs = [job for job in plan.jobs(threads=(1,), quick=True) if job.name in wanted and job.part != "memory"]
    more = {"avx2"} if benchmarks("avx2").has_more() else set()
    assert {job.part for job in jobs} == {"models", "layers", "kernels", "loader", "scaling"} | more
    for job in jobs:
        rows = list(job.measure())
        assert {(row.part, row.name, row.threads) for row in rows} == {(job.part, job.name, job.threads)}
        assert {row.work for row in rows} == set(job.works), job


def test_sizes_grow_until_the_memory_is_full_or_a_step_takes_long(
    benchmarks: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    scaling, timing = benchmarks("scaling"), benchmarks("timing")
    free, pace = 1000.0, 0.001

    def run(command: list[str], **_: object) -> object:
        assert command[1:4] == ["-m", "benchmarks.scaling", "2"]
        size = int(command[4])
        return subprocess.CompletedProcess(command, 0, json.dumps({"seconds": pace * size, "bytes": size}))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(scaling, "SIZES", 2)
    monkeypatch.setattr(scaling.Memory, "available", lambda: free)
    growth = scaling.GROWTHS[2]._replace(build=lambda n: lambda: None)
    monkeypatch.setattr(scaling, "GROWTHS", (*scaling.GROWTHS[:2], growth))
    effort = timing.Effort(1, 0.0, 1)
    sizes = [row.work for row in scaling.measure(growth, 1, effort, large=True)]
    assert sizes == ["8", "16", "32", "64", "128", "256", "512"]  # 2.2 · 512 is more than there is
    pace = 0.1
    assert [row.work for row in scaling.measure(growth, 1, effort, large=True)][-1] == "64"  # 128 would take 12.8 s
    *others, last = scaling.measure(growth, 1, effort, large=False)
    assert (last.work, last.goal, {row.goal for row in others}) == ("16", scaling.GOAL, {None})


def test_kernels_compute_the_sums_that_are_counted(benchmarks: Callable[[str], ModuleType], torch: ModuleType) -> None:
    kernels, before = benchmarks("kernels"), numnet.get_winograd()
    seen: list[bool] = []
    right = 1.0

    def ours() -> np.ndarray:
        seen.append(numnet.get_winograd())
        return np.ones(1, np.float32)

    kernel = kernels.Kernel("conv", "forward", 1.0, lambda: (ours, lambda: torch.full((1,), right)))
    effort = benchmarks("timing").Effort(1, 0.0, 1)
    of_peak, beside_torch = kernels.measure(kernel, effort)
    assert (of_peak.goal, of_peak.at_least, beside_torch.against, beside_torch.goal) == (0.75, True, "PyTorch", None)
    assert set(seen) == {False}
    assert numnet.get_winograd() is before
    right = 1.001
    with pytest.raises(benchmarks("models").DisagreementError, match="conv, forward"):
        list(kernels.measure(kernel, effort))


def test_with_avx2_alone_in_a_process_of_its_own(
    benchmarks: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    avx2 = benchmarks("avx2")
    asked: list[tuple[list[str], dict[str, str]]] = []
    found = json.dumps([row(benchmarks, part="avx2").plain()])

    def run(command: list[str], env: dict[str, str], **_: object) -> object:
        asked.append((command, env))
        return subprocess.CompletedProcess(command, 0, found)

    monkeypatch.setattr(subprocess, "run", run)
    assert avx2.measure(5, 2, quick=True) == [row(benchmarks, part="avx2")]
    ((command, env),) = asked
    assert command[1:] == ["-m", "benchmarks.avx2", "5", "2", "quick"]
    assert avx2.SWITCHES.items() <= env.items()


def test_without_more_than_avx2_the_page_says_so(benchmarks: Callable[[str], ModuleType]) -> None:
    report, Ratio = benchmarks("report"), benchmarks("timing").Ratio
    behind = row(benchmarks, name="NiN", ratio=Ratio(1.2, 1.1, 1.3))
    note = report.avx2_note([row(benchmarks), behind, row(benchmarks, work="inference, batch 1")])
    assert note.endswith("1 of its 2 rows are ≤ 1.10. The others: NiN, best: NCHW, SGD, 1 thr. (1.20).")


@pytest.fixture
def command(benchmarks: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The command, quick as can be, and with a page of its own."""
    timing, main = benchmarks("timing"), benchmarks("__main__")
    monkeypatch.setattr(timing, "QUICK", timing.Effort(1, 0.001, 1))
    monkeypatch.setattr(main, "TREE", tmp_path)
    monkeypatch.setattr(main, "PAGE", tmp_path / "docs" / "performance.md")
    (tmp_path / "docs" / "images").mkdir(parents=True)
    marks = [f"<!-- benchmarks: {part} -->\nold\n<!-- end -->\n" for part in ("conditions", *benchmarks("plan").PARTS)]
    main.PAGE.write_text("\n".join(marks), encoding="utf-8")
    return main


def test_the_command(command: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    raw = tmp_path / "raw.json"
    arguments = ["models", "--only", "logistic", "--threads", "1", "--quick", "--json", str(raw)]
    assert command.main(arguments) == 0
    printed = capsys.readouterr()
    assert "processor: " in printed.out
    assert "| logistic regression, batch 100 |" in printed.out
    assert "logistic regression, training, batch 100, 1 thr.: " in printed.err
    rows = json.loads(raw.read_text(encoding="utf-8"))["rows"]
    assert [r["against"] for r in rows[:2]] == ["default: SGD", "best: SGD fused"]
    assert {r["work"] for r in rows} == {"training, batch 100", "inference, batch 1", "inference, batch 100"}
    assert all(r["ratio"]["low"] <= r["ratio"]["median"] <= r["ratio"]["high"] for r in rows)
    for refused in (["modells"], ["models", "--only", "LeNet", "--write"], ["models", "--others", "tinygrad"]):
        with pytest.raises(SystemExit):
            command.main(refused)
    capsys.readouterr()
    assert command.main(["--again", str(raw)]) == 0
    assert capsys.readouterr().out == printed.out
    for _ in range(2):  # what is there already makes no difference
        assert command.main(["--again", str(raw), "--write"]) == 0
        page = command.PAGE.read_text(encoding="utf-8")
        assert page.count("| logistic regression, batch 1 ") == 1
        assert page.count("old") == len(benchmark_parts(page)) - 2
        assert sorted(path.name for path in command.PAGE.parent.rglob("*.*")) == [
            "performance.md",
            "performance_models.png",
        ]
    other = tmp_path / "docs" / "other.md"
    with pytest.raises(SystemExit):
        command.main(["--again", str(raw), "--write", "--page", str(other)])
    other.write_text(page.replace("logistic regression", "old"), encoding="utf-8")
    assert command.main(["--again", str(raw), "--write", "--page", str(other)]) == 0
    assert "| logistic regression, batch 1 " in other.read_text(encoding="utf-8")
    assert (tmp_path / "docs" / "images" / "other_models.png").is_file()
    assert command.PAGE.read_text(encoding="utf-8") == page


def benchmark_parts(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("<!-- benchmarks")]


@pytest.mark.parametrize("stop, code", [(KeyboardInterrupt(), 130), (RuntimeError("the disk is full"), 1)])
def test_a_run_that_is_stopped_shows_what_it_has_and_writes_no_page(
    benchmarks: Callable[[str], ModuleType],
    command: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    stop: BaseException,
    code: int,
) -> None:
    plan, raw = benchmarks("plan"), tmp_path / "raw.json"

    def measure() -> Iterator[Any]:
        yield row(benchmarks)
        raise stop

    job = plan.Job("models", "LeNet", ("training, batch 2",), 1, measure)
    monkeypatch.setattr(plan, "jobs", lambda *_: [job, job])
    before = command.PAGE.read_text(encoding="utf-8")
    assert command.main(["--quick", "--write", "--json", str(raw)]) == code
    printed = capsys.readouterr()
    assert cells_of(printed.out)[2][:2] == ["LeNet, batch 2", "best: NCHW, SGD"]
    assert ("interrupted" in printed.err) == (code == 130)
    assert len(json.loads(raw.read_text(encoding="utf-8"))["rows"]) == 1
    assert command.PAGE.read_text(encoding="utf-8") == before


# ------------------------------------------------------------------------------------------------ JAX


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", ["x²", "logistic", "LeNet", "LSTM"])
def test_jax_computes_the_same(benchmarks: Callable[[str], ModuleType], models: ModuleType, name: str) -> None:
    pytest.importorskip("jax")
    jax_side = benchmarks("jax_side")
    assert jax_side.use_threads(1)
    found = network(models, name)
    ours, theirs = models.Numnet(found, batch=2), jax_side.Jax(found, batch=2)
    models.agree(ours, theirs, found.tolerance)
    theirs.step()
    after = {name: np.asarray(p) for name, p in theirs.training[0].items()}
    ours.step()
    for name, p in ours.net.named_parameters():
        assert np.abs(after[name] - p.array).max() < 1e-6


@pytest.mark.filterwarnings("default")
def test_jax_drops_out_something_else_each_time(benchmarks: Callable[[str], ModuleType]) -> None:
    jax = pytest.importorskip("jax")
    first = jax.random.key(0)
    drop = benchmarks("jax_side")._Drop(first)
    a, b = (np.asarray(drop(np.ones(99, np.float32))) for _ in range(2))
    assert set(a) == set(b) == {0, 2}
    assert (a != b).any()
    assert drop.key != first  # with which the next step begins


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW"])
def test_jax_steps_as_numnet_does(
    benchmarks: Callable[[str], ModuleType], models: ModuleType, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    pytest.importorskip("jax")
    jax_side = benchmarks("jax_side")
    assert jax_side.use_threads(1)
    options = {"momentum": 0.9, "weight_decay": 0.01} if optimizer == "SGD" else {}
    for module in (models, jax_side):
        monkeypatch.setattr(module, "RATE", 0.01)
    found = dataclasses.replace(network(models, "x²"), optimizer=optimizer, options=options, clip=0.1)
    ours, theirs = models.Numnet(found, batch=5), jax_side.Jax(found, batch=5)
    theirs.take_weights(ours)
    for _ in range(3):
        ours.step()
        theirs.step()
    for name, p in ours.net.named_parameters():
        assert np.allclose(np.asarray(theirs.training[0][name]), p.array, rtol=1e-4, atol=1e-6)
