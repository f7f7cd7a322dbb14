"""The pictures: what the artists hold are the numbers that they stand for."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import numnet
from numnet import inspect, nn
from numnet.errors import (
    DtypeError,
    LabelError,
    MissingExtraError,
    NonFiniteError,
    NumnetError,
    OptionError,
    ShapeError,
)

pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def seeded() -> None:
    numnet.manual_seed(0)


def traced(net: nn.Module, x: np.ndarray, classes: int = 3, **options: Any) -> inspect.Trace:
    return numnet.trace(net, x, RNG.integers(0, classes, len(x)), nn.CrossEntropyLoss(), **options)


def images(figure: Any) -> dict[str, np.ndarray]:
    """What each image shows, by the first line of its heading; gaps are NaN."""
    return {
        axes.get_title().splitlines()[0]: np.ma.filled(axes.images[0].get_array().astype(float), np.nan)
        for axes in figure.axes
        if axes.images and axes.get_title()
    }


def lines(axes: Any) -> dict[str, np.ndarray]:
    return {line.get_label(): np.array(line.get_data()) for line in axes.get_lines()}


# ---------------------------------------------------------------------------------------------- trace.plot


def convolutional() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 3, 2), nn.Sigmoid(), nn.Flatten(), nn.Linear(3 * 4 * 2, 3)).double()


def test_the_images_are_the_deltas_of_one_sample() -> None:
    """Maps tiled with gaps, units in a strip; each on its own scale; what only reshapes is left out."""
    net, x = convolutional(), RNG.standard_normal((5, 1, 5, 3))
    trace = traced(net, x)
    shown = images(figure := trace.plot(sample=4))
    assert list(shown) == ["x", "∂J/∂x", "0", "1", "3"]
    np.testing.assert_array_equal(shown["x"], x[4, 0])
    np.testing.assert_array_equal(shown["∂J/∂x"], trace.input_delta[4, 0])
    for name in "01":
        delta = trace[name].delta[4]  # (3, 4, 2): two maps beside each other, one below
        tiles = [shown[name][:4, :2], shown[name][:4, 3:], shown[name][5:, :2]]
        np.testing.assert_array_equal(tiles, delta)
        assert np.isnan(shown[name]).sum() == shown[name].size - delta.size
    np.testing.assert_array_equal(shown["3"], trace["3"].delta[4][:, None])
    for axes in figure.axes[1:-1]:
        limit = np.nanmax(np.abs(axes.images[0].get_array()))
        assert axes.images[0].get_clim() == (-limit, limit)
        assert axes.get_title().endswith(f"±{limit:.1e}")


def test_the_lines_are_the_norms_of_the_batch() -> None:
    trace = traced(convolutional(), RNG.standard_normal((5, 1, 5, 3)))
    axes = trace.plot().axes[-1]
    assert axes.get_yscale() == "log"
    found = lines(axes)
    calls = [trace[name] for name in "013"]
    np.testing.assert_allclose(found["‖a‖, output"], [[0, 1, 2], [np.linalg.norm(c.output) for c in calls]])
    np.testing.assert_allclose(found["‖δ‖, at the output"], [[0, 1, 2], [np.linalg.norm(c.delta) for c in calls]])
    gradients = [[np.linalg.norm(g) for g in trace[name].parameter_gradients.values()] for name in "03"]
    np.testing.assert_allclose(found["‖∂J/∂W‖, all parameters"], [[0, 2], [np.hypot(*two) for two in gradients]])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0\nConv2d", "1\nSigmoid", "3\nLinear"]


def test_a_norm_of_zero_is_an_open_mark() -> None:
    """Dead units: δ behind them is 0, which has no place on a logarithmic axis."""
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3)).double()
    net[0].bias.array[...] = -100
    figure = traced(net, RNG.standard_normal((3, 2))).plot()
    figure.draw_without_rendering()  # it can be laid out, with any warning an error
    found = lines(figure.axes[-1])
    assert found["‖δ‖, at the output: 0"][0].tolist() == [0]
    assert found["‖a‖, output: 0"][0].tolist() == [1]
    assert found["‖δ‖, at the output"][0].tolist() == [1, 2]
    assert {axes.get_title() for axes in figure.axes} >= {"∂J/∂x\nall 0", "0\nLinear\nall 0"}


class Reader(nn.Module):
    """Words, a recurrent layer, and a linear one for its last output or its state."""

    def __init__(self, kind: type, batch_first: bool, of_state: bool = False) -> None:
        super().__init__()
        self.embed, self.rnn, self.fc = nn.Embedding(9, 4), kind(4, 6, batch_first=batch_first), nn.Linear(6, 3)
        self.batch_first, self.of_state = batch_first, of_state

    def forward(self, words: Any) -> Any:
        y, state = self.rnn(self.embed(words))
        if self.of_state:
            return self.fc((state[0] if isinstance(state, tuple) else state)[0])
        return self.fc(y[:, -1] if self.batch_first else y[-1])


@pytest.mark.parametrize("batch_first", [True, False])
def test_sequences_are_time_by_unit(batch_first: bool) -> None:
    words = RNG.integers(0, 9, (3, 7))  # N, T
    net = Reader(nn.GRU, batch_first).double()
    y, loss = np.array([0, 1, 2]), nn.CrossEntropyLoss()
    trace = numnet.trace(net, words if batch_first else words.T.copy(), y, loss)
    shown = images(figure := trace.plot(sample=2))
    assert list(shown) == ["embed", "rnn", "Index", "fc"]  # words are no picture
    for name in ("embed", "rnn"):
        delta = trace[name].delta
        np.testing.assert_array_equal(shown[name], delta[2] if batch_first else delta[:, 2])
        assert shown[name].shape == (7, {"embed": 4, "rnn": 6}[name])
    assert [axes.get_ylabel() for axes in figure.axes[:2]] == ["time", "time"]
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == ["unit", "unit"]
    np.testing.assert_array_equal(images(trace.plot(2, batch_first=batch_first))["rnn"], shown["rnn"])
    if not batch_first:  # a sample is then what the first axis counts: seven of them
        np.testing.assert_array_equal(images(trace.plot(6, batch_first=True))["rnn"], trace["rnn"].delta[6])


def test_delta_of_a_state() -> None:
    net = Reader(nn.LSTM, True, of_state=True).double()
    trace = traced(net, RNG.integers(0, 9, (3, 7)))
    figure = trace.plot(1)
    record = trace["rnn"].deltas[1]
    assert record is not None
    assert record.shape == (1, 3, 6)
    np.testing.assert_array_equal(images(figure)["rnn"], record.numbers[:, 1])
    assert (figure.axes[1].get_ylabel(), figure.axes[1].get_xlabel()) == ("layer", "unit")


def test_channels_by_position_and_volumes() -> None:
    net = nn.Sequential(nn.Conv1d(2, 3, 2), nn.Tanh(), nn.Flatten(), nn.Linear(12, 3)).double()
    figure = traced(net, x := RNG.standard_normal((2, 2, 5))).plot(1)
    np.testing.assert_array_equal(images(figure)["x"], x[1])
    assert [(axes.get_ylabel(), axes.get_xlabel()) for axes in figure.axes[1:4]] == [("channel", "position")] * 3
    figure.draw_without_rendering()
    net = nn.Sequential(nn.Conv3d(1, 2, 2), nn.Flatten(), nn.Linear(2 * 1 * 2 * 3, 3)).double()
    trace = traced(net, RNG.standard_normal((2, 1, 2, 3, 4)))
    shown = images(trace.plot())["0"]
    np.testing.assert_array_equal(np.hstack([shown[:, :3], shown[:, 4:]]), np.hstack(trace["0"].delta[0, :, 0]))


def test_layers_can_be_chosen_and_many_are_thinned() -> None:
    net = nn.Sequential(*[nn.Linear(2, 2) if i % 2 else nn.Tanh() for i in range(121)], nn.Linear(2, 3)).double()
    trace = traced(net, RNG.standard_normal((2, 2)))
    assert len(images(trace.plot(layers=["1", "121"]))) == 4
    figure = trace.plot()
    shown = [axes for axes in figure.axes[:-1] if axes.images]
    assert len(shown) == 1 + 41, "x, and every third of 123"
    assert "(41 of 123 images)" in figure.subfigs[0].get_suptitle()
    with pytest.raises(OptionError, match=r"calls among \['0', '1'"):
        trace.plot(layers=["fc"])


class OfScaledWeights(nn.Module):
    """Two linear maps: one with a long name, one whose weight is made of a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.first_of_the_two_maps = nn.Linear(2, 3)
        self.weight = nn.Parameter(np.ones((3, 3)))

    def forward(self, x: Any) -> Any:
        return self.first_of_the_two_maps(x) @ (2 * self.weight)


def test_what_is_done_to_weights_is_no_layer_and_long_names_are_cut() -> None:
    trace = traced(OfScaledWeights().double(), RNG.standard_normal((3, 2)))
    assert [call.name for call in trace.calls][:3] == ["first_of_the_two_maps", "Multiply", "MatMul"]
    figure = trace.plot()
    assert list(images(figure)) == ["x", "∂J/∂x", "…t_of_the_two_maps", "MatMul"]
    assert [label.get_text() for label in figure.axes[-1].get_xticklabels()] == ["…t_of_the_two_maps\nLinear", "MatMul"]


def test_without_a_batch_axis_and_what_was_not_kept() -> None:
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    x, y = RNG.standard_normal(4), np.zeros(1)
    trace = numnet.trace(net, x, y, nn.MSELoss())
    shown = images(trace.plot(sample=None))
    np.testing.assert_array_equal(shown["0"], trace["0"].delta[:, None])
    assert shown["2"].shape == (1, 1)
    digests = numnet.trace(net, x, y, nn.MSELoss(), keep=0).plot(sample=None)
    assert [axes.texts[0].get_text() for axes in digests.axes[:-1]] == ["not kept"] * 5
    norms = [lines(figure.axes[-1])["‖δ‖, at the output"] for figure in (digests, trace.plot(None))]
    np.testing.assert_allclose(*norms)


def test_what_is_not_finite_is_said() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)).double()
    net[1].weight.array[0, 0] = np.inf
    figure = numnet.trace(net, np.ones((1, 2)), np.zeros((1, 1)), nn.L1Loss()).plot()
    figure.draw_without_rendering()
    assert "0\nLinear\n1 NaN or inf" in [axes.get_title() for axes in figure.axes]


@pytest.mark.parametrize("sample", [3, -1])
def test_a_sample_that_is_not_there(sample: int) -> None:
    trace = traced(nn.Linear(2, 3).double(), RNG.standard_normal((3, 2)))
    with pytest.raises(OptionError, match="a sample from 0 to 2"):
        trace.plot(sample)


def test_without_any_delta() -> None:
    trace = numnet.trace(nn.Identity(), RNG.standard_normal((3, 2)), RNG.integers(0, 2, 3), nn.CrossEntropyLoss())
    assert list(images(trace.plot())) == ["x", "∂J/∂x", "Identity"]
    words = numnet.trace(nn.Embedding(4, 3), np.arange(3), RNG.integers(0, 2, 3), nn.CrossEntropyLoss())
    with pytest.raises(OptionError, match="δ at some layer, for each sample"):
        words.plot(sample=None, layers=[])


def test_matplotlib_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = traced(nn.Linear(2, 3).double(), RNG.standard_normal((3, 2)))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"numnet\[demos\]"):
        trace.plot()


# ---------------------------------------------------------------------------------------------- filters and maps


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_filters(channels: int) -> None:
    net = nn.Sequential(nn.BatchNorm2d(channels), nn.Conv2d(channels, 5, (3, 2)))
    W = net[1].weight.array
    shown = images(figure := inspect.plot_filters(net, "1"))
    assert list(shown) == list("01234")
    for f in range(5):
        np.testing.assert_array_equal(np.sort(shown[str(f)][~np.isnan(shown[str(f)])]), np.sort(W[f].ravel()))
        np.testing.assert_array_equal(shown[str(f)][:3, :2], W[f, 0])
    figure.draw_without_rendering()
    limits = {axes.images[0].get_clim() for axes in figure.axes if axes.images and axes.get_title()}
    assert limits == {(-abs(W).max(), abs(W).max())}, "one scale for all, which the bar shows"
    assert images(inspect.plot_filters(net[1], most=2)).keys() == {"0", "1"}
    assert "; the first 2 of 5" in inspect.plot_filters(net[1], most=2).get_suptitle()
    net[1].weight.data[0, 0, 0] = np.nan, np.inf
    assert inspect.plot_filters(net[1]).get_suptitle().endswith("; 2 NaN or inf")


def test_filters_in_colours_and_in_other_dimensions() -> None:
    layer = nn.Conv2d(3, 2, 4)
    W = layer.weight.array
    figure = inspect.plot_filters(layer, rgb=True)
    shown = figure.axes[1].images[0].get_array()
    np.testing.assert_allclose(shown, 0.5 + W[1].transpose(1, 2, 0) / (2 * abs(W).max()), atol=1e-6)
    layer = nn.Conv1d(3, 2, 4)
    np.testing.assert_array_equal(images(inspect.plot_filters(layer))["1"], layer.weight.array[1])
    layer = nn.ConvTranspose2d(4, 6, 3, groups=2)  # W (4, 3, 3, 3): filter 4 is the second of the second group
    found = images(inspect.plot_filters(layer))
    assert len(found) == 6
    np.testing.assert_array_equal(found["4"][:, :3], layer.weight.array[2, 1])
    np.testing.assert_array_equal(found["4"][:, 4:], layer.weight.array[3, 1])
    assert images(inspect.plot_filters(nn.Conv3d(1, 1, 2)))["0"].shape == (2, 5)


def test_no_filters() -> None:
    net = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.Sequential(nn.Conv2d(3, 3, 1)))
    with pytest.raises(OptionError, match=r"'1' is a ReLU\n.*path = one of '0', '2.0'"):
        inspect.plot_filters(net, "1")
    with pytest.raises(OptionError, match=r"nothing at 'conv1'\n.*'0', '2.0'"):
        inspect.plot_filters(net, "conv1")
    with pytest.raises(OptionError, match="this network has no convolution"):
        inspect.plot_filters(nn.Linear(2, 2))
    with pytest.raises(OptionError, match="rgb for filters"):
        inspect.plot_filters(net, "0", rgb=True)
    with pytest.raises(OptionError, match="most of at least 1"):
        inspect.plot_filters(net, "0", most=0)


def test_feature_maps() -> None:
    trace = traced(convolutional(), RNG.standard_normal((5, 1, 5, 3)))
    shown = images(inspect.plot_feature_maps(trace, "0", sample=3))
    assert list(shown) == ["0", "1", "2"]
    np.testing.assert_array_equal(list(shown.values()), trace["0"].output[3])
    net = nn.Sequential(nn.Conv1d(2, 3, 2), nn.Flatten(), nn.Linear(12, 3)).double()
    one = traced(net, RNG.standard_normal((2, 2, 5)))
    figure = inspect.plot_feature_maps(one, "0", sample=1)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), one["0"].output[1])
    with pytest.raises(ShapeError, match=r"\(5, 3\) of '3'\n.*one of '0', '1'"):
        inspect.plot_feature_maps(trace, "3")
    with pytest.raises(OptionError, match="a call among"):
        inspect.plot_feature_maps(trace, "conv")
    with pytest.raises(OptionError, match="a sample from 0 to 4"):
        inspect.plot_feature_maps(trace, "0", sample=5)


# ---------------------------------------------------------------------------------------------- decision boundary


def contours(axes: Any) -> list[np.ndarray]:
    """The points of every level line."""
    import matplotlib.contour

    found = [c for c in axes.collections if isinstance(c, matplotlib.contour.ContourSet)]
    return [path.vertices for c in found for path in c.get_paths() if len(path.vertices)]


def test_the_line_of_two_classes_is_where_z_is_zero() -> None:
    net = nn.Linear(2, 1).double()
    net.load_state_dict({"weight": np.array([[2.0, -1.0]]), "bias": np.array([0.5])})
    x = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 3.0]])
    y = np.array([0, 1, 0, 1])  # the last one is on the wrong side
    figure = inspect.plot_decision_boundary(net, x, y, points=31)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    (line,) = contours(axes)
    np.testing.assert_allclose(line @ [2, -1] + 0.5, 0, atol=1e-12)
    u, v = (np.linspace(*ends, 31) for ends in (axes.get_xlim(), axes.get_ylim()))
    said = (2 * u[None, :] - v[:, None] + 0.5 > 0).astype(int)
    np.testing.assert_array_equal(axes.images[0].get_array(), said)
    samples = {entry.get_label(): entry for entry in axes.get_lines()}
    assert list(samples) == ["class 0", "class 1", "wrong: 1 of 4"]
    np.testing.assert_array_equal(np.transpose(samples["class 1"].get_data()), x[y == 1])
    np.testing.assert_array_equal(np.transpose(samples["wrong: 1 of 4"].get_data()), x[3:])
    assert len({(entry.get_color(), entry.get_marker()) for entry in list(samples.values())[:2]}) == 2
    assert samples["class 0"].get_marker() != samples["class 1"].get_marker(), "not by colour alone"


def test_probabilities_columns_of_targets_and_functions() -> None:
    """The same line, asked in other ways: probabilities, one number a row, two scores, class numbers."""
    w, x, y = np.array([2.0, -1.0]), RNG.standard_normal((9, 2)), RNG.integers(0, 2, 9)

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    ways = {
        "z": (lambda rows: rows @ w, 0.0),
        "p": (lambda rows: sigmoid(rows @ w)[:, None], 0.5),
        "scores": (lambda rows: np.stack([-(rows @ w), rows @ w], axis=1), 0.0),
    }
    for classifier, level in ways.values():
        figure = inspect.plot_decision_boundary(classifier, x, y[:, None].astype(float), level=level, points=41)
        (line,) = contours(figure.axes[0])
        np.testing.assert_allclose(line @ w, 0, atol=0.02)
    figure = inspect.plot_decision_boundary(lambda rows: (rows @ w > 0).astype(int), x, y)
    assert abs(contours(figure.axes[0])[0] @ w).max() < 0.1


def test_several_classes_and_modes() -> None:
    """Dropout does not drop here, and the network is in training mode afterwards."""
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 4)).double()
    net[1].load_state_dict({"weight": np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]]), "bias": np.zeros(4)})
    x = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    figure = inspect.plot_decision_boundary(net, x, np.arange(4), points=40, names="ENWS")
    assert net.training
    assert net[0].training
    for line in contours(figure.axes[0]):
        np.testing.assert_allclose(abs(line[:, 0]), abs(line[:, 1]), atol=1e-12)
    assert [entry.get_label() for entry in figure.axes[0].get_lines()] == list("ENWS")
    assert np.unique(figure.axes[0].images[0].get_array()).tolist() == [0, 1, 2, 3]


def test_one_class_one_sample_and_axes_that_are_there() -> None:
    from matplotlib.figure import Figure

    whole = Figure()
    axes = whole.subfigures(1, 2)[1].subplots()
    x, y = np.zeros((1, 2)), np.zeros(1, int)
    figure = inspect.plot_decision_boundary(lambda rows: np.ones((len(rows), 3)) * [3, 2, 1], x, y, axes=axes)
    assert figure is whole
    assert contours(axes) == []
    figure.draw_without_rendering()
    inspect.plot_decision_boundary(lambda rows: np.zeros(len(rows), int), x, y).draw_without_rendering()


X, Y = RNG.standard_normal((6, 2)), np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize(
    "error, match, change",
    [
        (ShapeError, r"two axes\n.*\(6, 3\)\n.*train on two columns", {"x": np.zeros((6, 3))}),
        (ShapeError, r"two axes\n.*\(0, 2\)", {"x": np.zeros((0, 2)), "y": np.zeros(0, int)}),
        (DtypeError, "x of floating-point numbers", {"x": np.zeros((6, 2), int)}),
        (DtypeError, "x as an array", {"x": [[0.0, 1.0]]}),
        (DtypeError, r"such as 0.3\n.*for regression draw", {"y": np.array([0, 1, 0.3, 0, 0, 0])}),
        (ShapeError, "a class for each of 6 samples", {"y": np.zeros(5, int)}),
        (ShapeError, "a class for each of 6 samples", {"y": np.zeros((6, 3), int)}),
        (LabelError, "a class -1 in y", {"y": Y - 1}),
        (LabelError, "classes from 0 to 2, as there are outputs", {"y": Y + 1}),
        (LabelError, "classes from 0 to 1, as there are outputs", {"classifier": lambda rows: rows[:, 0]}),
        (ShapeError, "scores", {"classifier": lambda rows: rows[None]}),
        (ShapeError, "scores", {"classifier": lambda rows: 1.0}),
        (ShapeError, "class numbers", {"classifier": lambda rows: np.zeros((len(rows), 3), int)}),
        (NonFiniteError, "100% NaN", {"classifier": lambda rows: rows * np.nan}),
        (NonFiniteError, "finite numbers in x\n.*in row 0", {"x": np.where([[True, False]], np.nan, X)}),
        (OptionError, "at least 2 points", {"points": 1}),
        (OptionError, "a name for each of 3 classes", {"names": "ab"}),
        (NumnetError, "float32", {"classifier": nn.Linear(2, 3)}),
    ],
)
def test_a_boundary_that_cannot_be_drawn(error: type[Exception], match: str, change: dict[str, Any]) -> None:
    right = {"classifier": nn.Linear(2, 3).double(), "x": X, "y": Y, "points": 20}
    inspect.plot_decision_boundary(**right)
    with pytest.raises(error, match=match):
        inspect.plot_decision_boundary(**{**right, **change})


# ---------------------------------------------------------------------------------------------- paths


def bowl(u: Any, v: Any) -> Any:
    return 0.5 * u * u + 3 * v * v - 1


def test_paths_and_level_lines() -> None:
    ways = {"SGD": RNG.standard_normal((7, 2)), "Adam": RNG.standard_normal((4, 2))}
    figure = inspect.plot_path(bowl, ways, window=(-3, 3, -2, 2), levels=[0.0, 1.0, 5.0])
    figure.draw_without_rendering()
    (axes,) = figure.axes
    contour = axes.collections[-1]
    assert contour.levels.tolist() == [0, 1, 5]
    for level, path in zip(contour.levels, contour.get_paths(), strict=True):
        np.testing.assert_allclose(bowl(*path.vertices.T), level, atol=2e-3)
    drawn = [np.transpose(line.get_data()) for line in axes.get_lines()]
    for k, way in enumerate(ways.values()):
        np.testing.assert_array_equal(drawn[2 * k], way)
        np.testing.assert_array_equal(drawn[2 * k + 1], way[-1:])
    np.testing.assert_array_equal(drawn[4], np.unique([way[0] for way in ways.values()], axis=0))
    assert [line.get_label() for line in axes.get_lines()[1::2]] == ["SGD", "Adam"]
    markers = {line.get_marker() for line in axes.get_lines()[1:4:2]}
    assert len(markers) == 2, "ends are told apart by more than colour"


def test_levels_found() -> None:
    """Half logarithmic above the lowest number of the window, half even."""
    figure = inspect.plot_path(bowl, {"a": np.array([[1.0, 1.0], [0, 0]])}, window=(-2, 2, -2, 2), levels=8)
    contour = figure.axes[0].collections[-1]
    even, log = np.linspace(0, 1, 5)[1:], np.geomspace(1e-4, 1, 5)
    np.testing.assert_allclose(contour.levels, -1 + 14 * np.union1d(even, log), rtol=1e-12)
    line = contour.get_paths()[3].vertices
    np.testing.assert_allclose(bowl(*line.T), contour.levels[3], atol=2e-3)


def test_the_window_is_around_the_points() -> None:
    diverged = np.array([[0.0, 0.0], [10.0, 4.0], [np.inf, np.nan]])
    figure = inspect.plot_path(lambda u, v: u + v, {"SGD": diverged})
    figure.draw_without_rendering()
    assert figure.axes[0].get_xlim() == (-1.5, 11.5)
    assert figure.axes[0].get_ylim() == pytest.approx((-0.6, 4.6))
    np.testing.assert_array_equal(figure.axes[0].get_lines()[1].get_data(), [[10], [4]])
    figure = inspect.plot_path(lambda u, v: 0 * u + 2, {"one": np.ones((1, 2))})  # flat, and a single point
    figure.draw_without_rendering()
    assert figure.axes[0].get_xlim() == (0, 2)


def test_where_j_is_not_finite() -> None:
    with np.errstate(invalid="ignore"):
        figure = inspect.plot_path(lambda u, v: np.sqrt(u) + v, {"a": np.array([[1.0, 1.0], [0, 0]])})
    figure.draw_without_rendering()
    assert figure.axes[0].collections[-1].levels.min() > -1


@pytest.mark.parametrize(
    "error, match, change",
    [
        (OptionError, "a path at least", {"paths": {}}),
        (ShapeError, r"'SGD' of shape \(steps \+ 1, 2\)\n.*\(4, 3\)", {"paths": {"SGD": np.zeros((4, 3))}}),
        (ShapeError, r"\(0, 2\)", {"paths": {"SGD": np.zeros((0, 2))}}),
        (NonFiniteError, "a start of 'SGD'", {"paths": {"SGD": np.array([[np.nan, 0.0]])}}),
        (OptionError, "left < right", {"window": (1, 1, 0, 2)}),
        (OptionError, "at least 2 levels", {"levels": 1}),
        (OptionError, "ascending", {"levels": [2.0, 1.0]}),
        (ShapeError, r"J of shape \(201, 201\)", {"function": lambda u, v: 3.0}),
        (NonFiniteError, "everywhere", {"function": lambda u, v: u * np.nan}),
        (NonFiniteError, "around the start", {"paths": {"diverged": np.array([[1.0, 1.0], [1e200, 1e200]])}}),
    ],
)
def test_paths_that_cannot_be_drawn(error: type[Exception], match: str, change: dict[str, Any]) -> None:
    right: dict[str, Any] = {"function": bowl, "paths": {"SGD": np.array([[1.0, 1.0], [0, 0]])}}
    with pytest.raises(error, match=match):
        inspect.plot_path(**{**right, **change})
