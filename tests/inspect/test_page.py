"""The HTML page of a trace: what is in it, and what it does in a real browser."""

from __future__ import annotations

import html.parser
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser, find_browser

import numnet
from numnet import nn, optim
from numnet.inspect import Trace

LENGTH = 5_000_000


class Residual(nn.Module):
    """A block that adds what went around it."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(x + self.block(x))


class Last(nn.Module):
    """The last state of a recurrent layer, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(3, 4, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.head(y[:, -1])


class Twice(nn.Module):
    """One layer, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return self.fc(nn.functional.tanh(self.fc(x)))


def mlp() -> Trace:
    net = nn.Sequential(nn.Linear(4, 5), nn.Sigmoid(), nn.Linear(5, 3)).double()
    return step(net, (6, 4), 3, optim.Adam(net.parameters(), lr=0.1))


def residual() -> Trace:
    return step(Residual().double(), (5, 4), 3)


def recurrent() -> Trace:
    return step(Last().double(), (2, 5, 3), 2)


def twice() -> Trace:
    return step(Twice().double(), (3, 4), 4)


def convolution() -> Trace:
    net = nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=1, dilation=(1, 2), groups=2),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
        nn.Dropout(0.4),
        nn.AvgPool2d(2, 1),
        nn.Flatten(),
        nn.Linear(24, 3),
    ).double()
    return step(net, (3, 2, 9, 7), 3, optim.SGD(net.parameters(), lr=0.1, momentum=0.9))


def step(net: nn.Module, shape: tuple[int, ...], classes: int, optimizer: optim.Optimizer | None = None) -> Trace:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(shape), rng.integers(0, classes, shape[0])
    return numnet.trace(net, x, y, nn.CrossEntropyLoss(), optimizer)


def lenet() -> Trace:
    """LeNet on one digit, 28 × 28."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = np.pad(np.kron(digits.images[3] / 16, np.ones((3, 3))), 2)[None, None].astype(np.float32)
    net = numnet.models.LeNet()
    return numnet.trace(net, x, digits.target[3:4], nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.9))


TRACES = {f.__name__: f for f in (mlp, residual, recurrent, twice, convolution, lenet)}


@pytest.fixture(scope="module")
def traces() -> dict[str, Trace]:
    numnet.manual_seed(0)
    return {name: make() for name, make in TRACES.items()}


@pytest.fixture(scope="module")
def pages(traces: dict[str, Trace], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, trace in traces.items():
        trace.to_html(folder / f"{name}.html")
        found[name] = (folder / f"{name}.html").read_text(encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    return find_browser(tmp_path_factory.mktemp("browser"))


def content(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="trace">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


# ---------------------------------------------------------------------------------------------- without a browser


class Outline(html.parser.HTMLParser):
    """The tags of a page with their attributes, and which of them were not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", TRACES)
def test_it_is_one_file_that_asks_for_nothing(name: str, pages: dict[str, str]) -> None:
    outline = Outline()
    outline.feed(pages[name])
    assert outline.open == []
    assert not [tag for tag, attributes in outline.found if tag == "link" or {"src", "href"} & attributes.keys()]
    assert not re.search(r"\b(fetch|XMLHttpRequest|import|WebSocket)\(|url\(|@import", pages[name])
    assert "default-src 'none'" in pages[name]
    assert len(pages[name].encode()) < LENGTH


@pytest.mark.parametrize("name", TRACES)
def test_it_holds_every_array_and_every_step(name: str, traces: dict[str, Trace], pages: dict[str, str]) -> None:
    trace, data = traces[name], content(pages[name])
    assert [a["name"] for a in data["arrays"]] == trace.names()
    assert len(data["steps"]) == len(trace.steps)
    assert all(a["buffer"] is not None for a in data["arrays"])
    for step_, shown in zip(trace.steps, data["steps"], strict=True):
        assert step_.title == shown["title"][0]
        assert shown["maps"], step_.title
        made = {data["arrays"][m["array"]]["name"] for m in shown["maps"] if m["made"]}
        if step_.stage == "update":
            assert f"{step_.update.name}.after" in made
        elif step_.stage != "backward":
            assert f"{step_.call.name}.output" in made
        elif any(step_.call.input_deltas.values()):
            assert any("delta" in m for m in made)


def test_a_small_limit_leaves_the_largest_arrays_out(traces: dict[str, Trace]) -> None:
    from numnet.inspect.page import page

    small = content(page(traces["lenet"], 40_000))
    kept = [math.prod(a["shape"]) for a in small["arrays"] if a["buffer"] is not None]
    left = [a for a in small["arrays"] if a["buffer"] is None]
    assert left
    assert max(kept) <= min(math.prod(a["shape"]) for a in left)
    assert sum(len(b["data"]) for b in small["buffers"]) <= 40_000
    assert all(len(a["why"]) == 2 and a["digest"]["norm"] is not None for a in left)


def test_what_was_not_kept_says_so_and_nan_is_no_obstacle() -> None:
    from numnet.inspect.page import page

    class Rest(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 5)

        def forward(self, x):
            return self.fc(x[:, 1:])

    x = np.random.default_rng(0).standard_normal((6, 4))
    x[:, 0] = np.nan, np.inf, -np.inf, 0, 1, 2
    trace = numnet.trace(Rest().double(), x, np.zeros(6, np.int64), nn.CrossEntropyLoss(), keep=700)
    data = content(page(trace, 10**6))
    why = [a["why"][0] for a in data["arrays"] if a["buffer"] is None]
    assert why
    assert all("no room" in w for w in why)
    assert data["arrays"][0]["name"] == "x"
    assert data["arrays"][0]["buffer"] is not None


def test_names_are_text_and_no_markup(tmp_path: Path) -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            setattr(self, "</script><b>&", nn.Linear(2, 2))

        def forward(self, x):
            return next(iter(self.children()))(x)

    Odd.__name__ = "<i>Odd"
    trace = step(Odd().double(), (2, 2), 2)
    trace.to_html(tmp_path / "odd.html")
    outline = Outline()
    outline.feed((tmp_path / "odd.html").read_text(encoding="utf-8"))
    assert not [tag for tag, _ in outline.found if tag in ("b", "i")]
    assert "</script><b>&" in content((tmp_path / "odd.html").read_text(encoding="utf-8"))["nodes"][1]["name"]


def test_in_a_notebook_it_stands_in_a_frame_of_its_own(traces: dict[str, Trace]) -> None:
    outline = Outline()
    outline.feed(traces["mlp"]._repr_html_())
    ((tag, attributes),) = outline.found
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["srcdoc"].startswith("<!doctype html>")
    assert content(attributes["srcdoc"])["title"][0].startswith("Sequential: 12 steps")


def test_an_older_page_stays_if_the_new_one_fails(traces: dict[str, Trace], tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "page.html"
    traces["mlp"].to_html(path)
    before = path.read_bytes()
    monkeypatch.setattr(traces["mlp"], "loss", "no number")
    with pytest.raises(ValueError, match="format"):
        traces["mlp"].to_html(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


# ---------------------------------------------------------------------------------------------- in a browser


def flat_of(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(index, shape)) if index else 0


EVERY = """
const { arrays, explained, operands, text, numbersOf } = window.numnet;
const cells = @cells@;
return cells.map(([number, flat]) => {
  const a = arrays[number], found = explained(a, flat);
  if (!found) return [a.name, flat, numbersOf(a)[flat], null];
  const used = [...operands(found.tree).values()].map((o) => [o.array.name, o.flat]);
  return [a.name, flat, numbersOf(a)[flat], found.tree.value, text(found.tree), used, found.symbols];
});
"""


@pytest.mark.parametrize("name", TRACES)
def test_the_arithmetic_of_a_cell_is_that_of_explain(
    name: str, traces: dict[str, Trace], pages: dict[str, str], browser: Browser
) -> None:
    trace, data = traces[name], content(pages[name])
    rng = np.random.default_rng(1)
    cells = []
    for number, a in enumerate(data["arrays"]):
        size = math.prod(a["shape"])
        if a["pattern"] or a["cells"]:
            chosen = rng.choice(size, min(size, 3 if name == "lenet" else 12), replace=False)
            cells += [[number, int(i)] for i in chosen]
    answers = browser.run(pages[name], EVERY.replace("@cells@", json.dumps(cells)))
    assert len(answers) == len(cells) > 20
    for array, flat, stored, *found in answers:
        index = np.unravel_index(flat, trace.array(array).shape)
        expected = trace.explain(array, index)
        assert found[0] is not None, (array, index)
        value, text, used, symbols = found
        tolerance = 1e-5 if "float32" in trace.array(array).dtype else 1e-10
        scale = max(1.0, *[abs(math.prod(f.value for f in factors)) for _, factors in expected.terms[:50]])
        assert abs(value - stored) <= tolerance * scale, (array, index)
        assert symbols == expected.rule.symbols
        assert text == expected.short
        places = {(o.name, flat_of(o.index, trace.array(o.name).shape)) for o in expected.operands}
        assert {(n, i) for n, i in used} == places, (array, index)


def test_it_steps_by_keys_and_clicks(pages: dict[str, str], browser: Browser) -> None:
    titles = browser.run(
        pages["mlp"],
        """
        const titles = [shown("heading")];
        const after = (act) => { act(); titles.push(shown("heading")); };
        after(() => press("ArrowRight"));
        after(() => press("n"));
        after(() => press("b"));
        after(() => press("d"));
        after(() => press("u"));
        after(() => press("End"));
        after(() => press("ArrowRight"));
        after(() => press("Home"));
        after(() => document.getElementById("next").click());
        after(() => document.querySelectorAll("#nodes button")[3].click());
        after(() => document.querySelectorAll("#nodes button")[3].click());
        after(() => press("o"));
        return titles;
        """,
        place="lang=en",
    )
    forward = [f"forward through {layer}" for layer in ("0 (Linear)", "1 (Sigmoid)", "2 (Linear)")]
    back, update = "backward through CrossEntropyLoss", [f"update of {p} by Adam" for p in ("0.weight", "2.bias")]
    expected = [*forward, forward[1], back, update[0], update[1], update[1], forward[0], forward[1], forward[2]]
    assert titles == [*expected, "backward through 2 (Linear)", forward[2]]


def test_a_cell_that_is_pointed_at_explains_itself_and_can_be_followed(
    traces: dict[str, Trace], pages: dict[str, str], browser: Browser
) -> None:
    trace = traces["mlp"]
    found = browser.run(
        pages["mlp"],
        """
        const last = () => [...document.querySelectorAll("#maps .cells")].at(-1);
        const texts = [];
        point(last(), 2, 0, "hover");
        await new Promise((done) => setTimeout(done, 100));
        texts.push(shown("explanation"));
        point(last(), 2, 0);
        press("ArrowDown", last());
        texts.push(shown("explanation"));
        press("ArrowLeft", last());
        press("ArrowLeft", last());
        press("ArrowLeft", last());
        texts.push(shown("explanation"));
        texts.push(document.getElementById("live").textContent);
        press("w");
        texts.push(shown("heading") + shown("explanation"));
        press("r");
        texts.push(shown("heading") + shown("explanation"));
        texts.push(location.hash);
        return texts;
        """,
        place="step=6&lang=en",
    )
    for text, index in zip(found, [(0, 2), (1, 2), (1, 0)], strict=False):
        e = trace.explain("0.delta", index)
        assert f"0.delta[{index[0]}, {index[1]}]" in text
        assert e.short in text
    assert found[3].startswith("0.delta[1, 0] = ")
    following = trace.walk("0.delta", (1, 0))[1]
    assert f"{following.name}[{following.index[0]}, {following.index[1]}]" in found[4]
    assert "backward through CrossEntropyLoss" in found[4]
    assert "backward through 1 (Sigmoid)" in found[5]
    assert "0.delta[1, 0]" in found[5]
    assert "cell=0.delta%3A5" in found[6]


def test_the_operands_are_marked_in_the_other_maps(pages: dict[str, str], browser: Browser) -> None:
    """Of a convolution: the patch and the filter."""
    marked = browser.run(
        pages["lenet"],
        """
        const count = () => [...document.querySelectorAll("#maps figure")].map((f) => {
          const marks = f.querySelector(".marks"), context = marks.getContext("2d");
          const image = context.getImageData(0, 0, marks.width, marks.height).data;
          let inked = 0;
          for (let i = 3; i < image.length; i += 4) inked += image[i] > 40;
          return [f.querySelector("code").textContent, inked];
        });
        const before = count();
        const { byName, choose, flatOf } = window.numnet, z = byName.get("features.0.output");
        choose(z, flatOf(z, [0, 1, 10, 10]));
        return [before, count()];
        """,
        place="step=0&lang=en",
    )
    before, after = map(dict, marked)
    assert set(after) == {"x", "features.0.weight", "features.0.bias", "features.0.output"}
    assert all(after[name] > before[name] for name in after)


def test_it_speaks_chinese(pages: dict[str, str], browser: Browser) -> None:
    """Every word that is no name: visible text without a Latin word, but for classes, arrays, code and letters."""
    found = browser.run(
        pages["convolution"],
        """
        const titles = [];
        const walk = document.getElementById("network");
        document.getElementById("help").click();
        for (let i = 0; i < window.numnet.trace.steps.length; i++) {
          press("ArrowRight");
          const canvas = [...document.querySelectorAll("#maps .cells")].at(-1);
          point(canvas, 0, 0);
          for (const id of ["heading", "caption", "explanation", "legend", "subtitle", "keys"]) {
            const copy = document.getElementById(id).cloneNode(true);
            copy.querySelectorAll("code, kbd, .operand, math").forEach((e) => e.remove());
            titles.push(copy.textContent);
          }
          for (const c of document.querySelectorAll("figcaption b")) titles.push(c.textContent);
        }
        return [document.documentElement.lang, [...new Set(titles)]];
        """,
        place="lang=zh",
    )
    language, texts = found
    assert language == "zh"
    names = "Sequential|Conv2d|BatchNorm2d|ReLU|MaxPool2d|Dropout|AvgPool2d|Flatten|Linear|CrossEntropyLoss|SGD"
    names += "|weight|bias|trace|explain|name|index|stride|dilation|padding|softmax|onehot|momentum|mean|count"
    for text in texts:
        left = re.sub(rf"\b({names})\b|momentum_buffer|training", "", text)
        assert not re.search(r"[A-Za-z]{4,}", left), text


@pytest.mark.parametrize("size", [(360, 740), (768, 1024), (1600, 1000)])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_fits_the_width_and_can_be_read(
    size: tuple[int, int], theme: str, pages: dict[str, str], browser: Browser
) -> None:
    found = browser.run(
        pages["lenet"],
        """
        const rgb = (e, what) => getComputedStyle(e)[what].match(/[\\d.]+/g).map(Number).slice(0, 3);
        const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => sum + w * linear(c[i]), 0);
        const contrast = (a, b) => {
          const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
          return (x + 0.05) / (y + 0.05);
        };
        const paper = rgb(document.documentElement, "backgroundColor");
        return {
          width: document.documentElement.scrollWidth, window: innerWidth,
          theme: document.documentElement.dataset.theme,
          contrasts: ["h1", "#subtitle", "#caption", "figcaption b", "figcaption span", "#code", "#counter"]
            .map((s) => [s, contrast(rgb(document.querySelector(s), "color"), paper)]),
          unnamed: [...document.querySelectorAll("button, input, canvas[tabindex], nav, aside, [role]")]
            .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.getAttribute("aria-hidden")))
            .filter((e) => !e.closest("label")?.textContent.trim())
            .map((e) => e.outerHTML),
        };
        """,
        place=f"step=22&theme={theme}&lang=en",
        size=size,
    )
    assert found["theme"] == theme
    assert found["width"] <= found["window"]
    assert all(contrast >= 4.5 for _, contrast in found["contrasts"]), found["contrasts"]
    assert found["unnamed"] == []
