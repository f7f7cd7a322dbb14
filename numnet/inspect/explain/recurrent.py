"""The rules of recurrent layers and cells: the arithmetic of one time step, and gradients as sums over the steps."""

from __future__ import annotations

from typing import NamedTuple

from .explanation import Rule
from .expression import Apply, Constant, Expression, Given, Operand, Sum, difference, product, square, total
from .page import Index, Page, Rules

__all__ = ["RecurrentRules"]

ONE = Constant(1.0)


class _Way(NamedTuple):
    """One direction of one layer, at one time step of one sample."""

    k: int  # layer · directions + direction
    t: int
    n: int


class RecurrentRules(Rules):
    """RNN, LSTM, GRU and their cells, of which a cell is a sequence of one step.

    Arrays of the time steps are (T, N, …), named ``rnn.l0.h_before`` (``l1_reverse``, and ``step`` for a cell).
    With lengths, a projection or dropout between layers the arithmetic is not written out.
    """

    # ------------------------------------------------------------------ what is where

    @staticmethod
    def _known(page: Page) -> bool:
        layer = page.layer
        lengths = page.call.inputs.get("lengths") is not None
        noisy = layer.training and not RecurrentRules._is_cell(page) and layer.dropout and layer.num_layers > 1
        return bool(page.call.inner) and not (
            lengths or (not RecurrentRules._is_cell(page) and layer.proj_size) or noisy
        )

    @staticmethod
    def _suffixes(page: Page) -> list[str]:
        return list(getattr(page.layer, "_suffixes", [""]))

    @staticmethod
    def _is_cell(page: Page) -> bool:
        return not hasattr(page.layer, "num_layers")

    @staticmethod
    def _kind(page: Page) -> str:
        return {1: "rnn", 4: "lstm", 3: "gru"}[len(page.layer.step.gates)]

    def _directions(self, page: Page) -> int:
        return 2 if getattr(page.layer, "bidirectional", False) else 1

    def _prefix(self, page: Page, k: int) -> str:
        return self._suffixes(page)[k].lstrip("_") or "step"

    def _array(self, page: Page, way: _Way, name: str, j: int, letter: str = "") -> Operand:
        return page.inner(f"{self._prefix(page, way.k)}.{name}", (way.t, way.n, j), letter or name)

    def _steps(self, page: Page) -> tuple[int, int]:
        """T and N."""
        shape = next(iter(page.call.inner.values())).shape
        return shape[0], shape[1]

    def _next(self, page: Page, way: _Way) -> _Way | None:
        """The step after this one in the direction's own order; ``None`` after the last."""
        t = way.t + (-1 if way.k % self._directions(page) else 1)
        return way._replace(t=t) if 0 <= t < self._steps(page)[0] else None

    def _previous(self, page: Page, way: _Way) -> _Way | None:
        t = way.t + (1 if way.k % self._directions(page) else -1)
        return way._replace(t=t) if 0 <= t < self._steps(page)[0] else None

    def _weight(self, page: Page, way: _Way, name: str, index: Index, letter: str) -> Operand:
        return page.parameter(name + self._suffixes(page)[way.k], index, letter)

    # x and the state, whatever the layout

    def _x_index(self, page: Page, way: _Way, i: int) -> Index:
        if self._is_cell(page):
            return (way.n, i) if len(page.x_shape) == 2 else (i,)
        if len(page.x_shape) == 2:
            return (way.t, i)
        return (way.n, way.t, i) if page.layer.batch_first else (way.t, way.n, i)

    def _x_place(self, page: Page, index: Index) -> tuple[int, int, int]:
        """(t, n, i) of an index of x, or of the output."""
        if self._is_cell(page):
            return (0, index[0], index[1]) if len(index) == 2 else (0, 0, index[0])
        if len(index) == 2:
            return index[0], 0, index[1]
        return (index[1], index[0], index[2]) if page.layer.batch_first else (index[0], index[1], index[2])

    def _state_index(self, page: Page, way: _Way, j: int) -> Index:
        """Of an element of h_0 or c_0, or of h_n or c_n."""
        alone = len(page.x_shape) == (1 if self._is_cell(page) else 2)
        own = (j,) if alone else (way.n, j)
        return own if self._is_cell(page) else (way.k, *own)

    def _state_place(self, page: Page, index: Index) -> tuple[int, int, int]:
        """(k, n, j) of an index of a state."""
        k, own = (0, index) if self._is_cell(page) else (index[0], index[1:])
        return (k, own[0], own[1]) if len(own) == 2 else (k, 0, own[0])

    def _x(self, page: Page, way: _Way, i: int) -> Operand:
        """What layer 0 reads is x; what a later one reads is the h of the layer below."""
        if way.k < self._directions(page):
            return page.x(self._x_index(page, way, i))
        return self._array(page, way, "x", i, "x")

    def _initial(self, page: Page, way: _Way, which: int, j: int) -> Expression:
        name = page.layer.state_names[which]
        if page.call.inputs.get(name) is None:
            return Constant(0.0, f"{name}")
        return page.x(self._state_index(page, way, j), name, name)

    def _first(self, page: Page, k: int, n: int) -> _Way:
        return _Way(k, self._steps(page)[0] - 1 if k % self._directions(page) else 0, n)

    def _last(self, page: Page, k: int, n: int) -> _Way:
        return _Way(k, 0 if k % self._directions(page) else self._steps(page)[0] - 1, n)

    # ------------------------------------------------------------------ forward

    def _u(self, page: Page, way: _Way, row: int) -> list[Expression]:
        """The terms of u = W_ih x + b_ih."""
        size = page.call.inner[f"{self._prefix(page, way.k)}.x"].shape[2]
        terms: list[Expression] = [
            product(self._weight(page, way, "weight_ih", (row, i), "W_ih"), self._x(page, way, i)) for i in range(size)
        ]
        if page.has(f"bias_ih{self._suffixes(page)[way.k]}"):
            terms.append(self._weight(page, way, "bias_ih", (row,), "b_ih"))
        return terms

    def _v(self, page: Page, way: _Way, row: int) -> list[Expression]:
        """The terms of v = W_hh hₜ₋₁ + b_hh."""
        terms: list[Expression] = [
            product(self._weight(page, way, "weight_hh", (row, i), "W_hh"), self._array(page, way, "h_before", i, "h⁻"))
            for i in range(page.layer.hidden_size)
        ]
        if page.has(f"bias_hh{self._suffixes(page)[way.k]}"):
            terms.append(self._weight(page, way, "bias_hh", (row,), "b_hh"))
        return terms

    def _h(self, page: Page, way: _Way, j: int) -> Rule:
        """h after this step."""
        kind = self._kind(page)
        note = f"time step {way.t}; h⁻ is h of the step before"
        if kind == "rnn":
            z = total(self._u(page, way, j) + self._v(page, way, j))
            if page.layer.step.cell == "relu":
                return Rule("max(W_ih x + b_ih + W_hh h⁻ + b_hh, 0)", Apply("max", (z, Constant(0.0))), note)
            return Rule("tanh(W_ih x + b_ih + W_hh h⁻ + b_hh)", Apply("tanh", (z,)), note)
        if kind == "lstm":
            o, c = self._array(page, way, "o", j), self._array(page, way, "tanh_c", j, "tanh c")
            return Rule(f"{o.symbol} · {c.symbol}", product(o, c), note)
        z, n = self._array(page, way, "z", j), self._array(page, way, "n", j)
        before = self._array(page, way, "h_before", j, "h⁻")
        symbols = f"(1 − {z.symbol}) · {n.symbol} + {z.symbol} · {before.symbol}"
        return Rule(symbols, Sum((product(difference(ONE, z), n), product(z, before))), note)

    def _c(self, page: Page, way: _Way, j: int) -> Rule:
        """c after this step."""
        i, f, g = (self._array(page, way, letter, j) for letter in "ifg")
        before = self._array(page, way, "c_before", j, "c⁻")
        symbols = f"{f.symbol} · {before.symbol} + {i.symbol} · {g.symbol}"
        return Rule(symbols, Sum((product(f, before), product(i, g))), f"time step {way.t}; c⁻ is c of the step before")

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        if not self._known(page):
            return None
        if self._is_cell(page) or number:
            k, n, j = self._state_place(page, index)
            way = self._last(page, k, n)
            is_c = number == (1 if self._is_cell(page) else 2)
            return self._c(page, way, j) if is_c else self._h(page, way, j)
        t, n, feature = self._x_place(page, index)
        D, H = self._directions(page), page.layer.hidden_size
        return self._h(page, _Way((page.layer.num_layers - 1) * D + feature // H, t, n), feature % H)

    # ------------------------------------------------------------------ the arrays of the time steps

    def inner(self, page: Page, part: str, index: Index) -> Rule | None:
        if not self._known(page):
            return None
        prefix, _, name = part.rpartition(".")
        k = [self._prefix(page, i) for i in range(len(self._suffixes(page)))].index(prefix)
        t, n, j = index
        way, H = _Way(k, t, n), page.layer.hidden_size
        if name == "x":
            if k < self._directions(page):
                x = self._x(page, way, j)
                return Rule(x.symbol, x)
            below = _Way((k // self._directions(page) - 1) * self._directions(page) + j // H, t, n)
            return self._h(page, below, j % H)
        if name == "h":
            return self._h(page, way, j)
        if name in ("h_before", "c_before"):
            return self._before(page, way, name, j)
        if name == "tanh_c":
            return Rule("tanh(f · c⁻ + i · g)", Apply("tanh", (self._c(page, way, j).expression,)))
        if name == "v_n":
            return Rule("W_hh h⁻ + b_hh, row of n", total(self._v(page, way, 2 * H + j)))
        if len(name) == 1:
            return self._gate(page, way, name, j)
        if name == "delta_h":
            return self._delta_h(page, way, j)
        if name == "delta_c":
            return self._delta_c(page, way, j)
        return self._delta_z(page, way, name, j)

    def _before(self, page: Page, way: _Way, name: str, j: int) -> Rule:
        previous = self._previous(page, way)
        if previous is not None:
            return self._h(page, previous, j) if name == "h_before" else self._c(page, previous, j)
        initial = self._initial(page, way, 0 if name == "h_before" else 1, j)
        symbol = initial.symbol if isinstance(initial, (Operand, Constant)) else name
        return Rule(symbol, initial, "the state that the first step starts from")

    def _gate(self, page: Page, way: _Way, name: str, j: int) -> Rule:
        letters = "ifgo" if self._kind(page) == "lstm" else "rzn"
        row = letters.index(name) * page.layer.hidden_size + j
        u, v = self._u(page, way, row), self._v(page, way, row)
        if letters == "rzn" and name == "n":
            r, v_n = self._array(page, way, "r", j), self._array(page, way, "v_n", j, "v_n")
            z: Expression = Sum((*u, product(r, v_n)))
            return Rule(f"tanh(W_ih x + b_ih + {r.symbol} · {v_n.symbol})", Apply("tanh", (z,)))
        f = "tanh" if name == "g" else "σ"
        return Rule(f"{f}(W_ih x + b_ih + W_hh h⁻ + b_hh), row {row}", Apply(f, (total(u + v),)))

    # ------------------------------------------------------------------ backward

    def _delta_h(self, page: Page, way: _Way, j: int) -> Rule:
        """What arrives at h of this step: from above, and from the step after."""
        D, H = self._directions(page), page.layer.hidden_size
        terms: list[Expression] = []
        last = self._next(page, way) is None
        if self._is_cell(page):
            terms.append(page.delta(self._state_index(page, way, j)))
        elif way.k // D == page.layer.num_layers - 1:
            terms.append(page.delta(self._x_index(page, way, way.k % D * H + j)))
        else:
            for upper in range((way.k // D + 1) * D, (way.k // D + 2) * D):
                terms += self._back_through_u(page, way._replace(k=upper), way.k % D * H + j)
        if last and not self._is_cell(page) and page.call.deltas[1] is not None:
            terms.append(page.delta(self._state_index(page, way, j), 1))
        terms += self._from_next(page, way, j)
        note = (
            "the last step of this direction: nothing comes from a later one"
            if last
            else "from the output, and from the step after"
        )
        return Rule("∂J/∂output + Σᵢ W_hh[i, j] · δv[next, i]", total(terms), note)

    def _back_through_u(self, page: Page, way: _Way, i: int) -> list[Expression]:
        """The terms of W_ihᵀ ∂J/∂u."""
        return [
            product(
                self._weight(page, way, "weight_ih", (row, i), "W_ih"), self._array(page, way, "delta_u", row, "δu")
            )
            for row in range(len(page.layer.step.gates) * page.layer.hidden_size)
        ]

    def _from_next(self, page: Page, way: _Way, j: int) -> list[Expression]:
        following = self._next(page, way)
        return [] if following is None else self._into_h_before(page, following, j)

    def _into_h_before(self, page: Page, way: _Way, j: int) -> list[Expression]:
        """The terms of ∂J/∂(h that step ``way`` read)."""
        terms: list[Expression] = [
            product(
                self._weight(page, way, "weight_hh", (row, j), "W_hh"), self._array(page, way, "delta_v", row, "δv")
            )
            for row in range(len(page.layer.step.gates) * page.layer.hidden_size)
        ]
        if self._kind(page) == "gru":
            terms.append(product(self._array(page, way, "delta_h", j, "δh"), self._array(page, way, "z", j)))
        return terms

    def _delta_c(self, page: Page, way: _Way, j: int) -> Rule:
        """What arrives at c from the step after."""
        following = self._next(page, way)
        if following is not None:
            f = self._array(page, following, "f", j)
            return Rule(
                f"{f.symbol} · δc", product(f, self._whole_c(page, following, j)), "δc is that of the step after"
            )
        number = 1 if self._is_cell(page) else 2
        delta = page.delta(self._state_index(page, way, j), number)
        return Rule(delta.symbol, delta, "the last step: what arrives at c from outside")

    def _whole_c(self, page: Page, way: _Way, j: int) -> Expression:
        """δ at c of this step: from the step after, and through h = o tanh(c)."""
        c, o = self._array(page, way, "tanh_c", j, "tanh c"), self._array(page, way, "o", j)
        through = product(self._array(page, way, "delta_h", j, "δh"), o, difference(ONE, square(c)))
        return Sum((self._array(page, way, "delta_c", j, "δc"), through))

    def _delta_z(self, page: Page, way: _Way, name: str, row: int) -> Rule:
        """∂J/∂u and ∂J/∂v of this step."""
        H, kind = page.layer.hidden_size, self._kind(page)
        j = row % H
        delta_h = self._array(page, way, "delta_h", j, "δh")
        if kind == "rnn":
            h = self._array(page, way, "h", j)
            if page.layer.step.cell == "relu":
                on = Given(float(h.value > 0), f"[{h.symbol} > 0]", (h,))
                return Rule(f"{delta_h.symbol} · [{h.symbol} > 0]", product(delta_h, on))
            return Rule(f"{delta_h.symbol} · (1 − {h.symbol}²)", product(delta_h, difference(ONE, square(h))))
        if kind == "lstm":
            i, f, g, o = (self._array(page, way, letter, j) for letter in "ifgo")
            c = self._whole_c(page, way, j)
            before = self._array(page, way, "c_before", j, "c⁻")
            tanh_c = self._array(page, way, "tanh_c", j, "tanh c")
            found = [
                ("δc · g · i · (1 − i)", product(c, g, i, difference(ONE, i))),
                ("δc · c⁻ · f · (1 − f)", product(c, before, f, difference(ONE, f))),
                ("δc · i · (1 − g²)", product(c, i, difference(ONE, square(g)))),
                ("δh · tanh c · o · (1 − o)", product(delta_h, tanh_c, o, difference(ONE, o))),
            ][row // H]
            return Rule(
                found[0], found[1], f"gate {'ifgo'[row // H]}; δc = δc (from the step after) + δh · o · (1 − tanh² c)"
            )
        return self._delta_gru(page, way, name, row)

    def _delta_gru(self, page: Page, way: _Way, name: str, row: int) -> Rule:
        H = page.layer.hidden_size
        j = row % H
        delta_h = self._array(page, way, "delta_h", j, "δh")
        r, z, n = (self._array(page, way, letter, j) for letter in "rzn")
        delta_n = product(delta_h, difference(ONE, z), difference(ONE, square(n)))
        if row // H == 0:
            v_n = self._array(page, way, "v_n", j, "v_n")
            symbols = "δh · (1 − z) · (1 − n²) · v_n · r · (1 − r)"
            return Rule(symbols, product(delta_n, v_n, r, difference(ONE, r)), "gate r")
        if row // H == 1:
            before = self._array(page, way, "h_before", j, "h⁻")
            found = product(delta_h, difference(before, n), z, difference(ONE, z))
            return Rule("δh · (h⁻ − n) · z · (1 − z)", found, "gate z")
        if name == "delta_u":
            return Rule("δh · (1 − z) · (1 − n²)", delta_n, "candidate n")
        return Rule("r · δh · (1 − z) · (1 − n²)", product(r, delta_n), "candidate n, behind the gate r")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        if not self._known(page):
            return None
        if part == page.first:
            t, n, i = self._x_place(page, index)
            terms = [e for k in range(self._directions(page)) for e in self._back_through_u(page, _Way(k, t, n), i)]
            return Rule(f"Σᵣ W_ih[r, {i}] · δu[{t}, {n}, r]", total(terms), f"time step {t}")
        k, n, j = self._state_place(page, index)
        first = self._first(page, k, n)
        if part == page.layer.state_names[0]:
            return Rule(
                "Σᵢ W_hh[i, j] · δv[first, i]", total(self._into_h_before(page, first, j)), "through the first step"
            )
        f = self._array(page, first, "f", j)
        return Rule(f"{f.symbol} · δc", product(f, self._whole_c(page, first, j)), "through the first step")

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        if not self._known(page):
            return None
        stem = next(s for s in ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if part.startswith(s))
        k = self._suffixes(page).index(part[len(stem) :])
        T, N = self._steps(page)
        which, letter = ("delta_u", "δu") if stem.endswith("ih") else ("delta_v", "δv")
        shares: list[Expression] = []
        for t in range(T):
            for n in range(N):
                way = _Way(k, t, n)
                delta = self._array(page, way, which, index[0], letter)
                if stem == "weight_ih":
                    shares.append(product(delta, self._x(page, way, index[1])))
                elif stem == "weight_hh":
                    shares.append(product(delta, self._array(page, way, "h_before", index[1], "h⁻")))
                else:
                    shares.append(delta)
        other = {"weight_ih": f" · x[t, n, {index[-1]}]", "weight_hh": f" · h⁻[t, n, {index[-1]}]"}.get(stem, "")
        note = f"a sum over {T} time steps and {N} samples; h⁻ is h of the step before" if T > 1 else ""
        return Rule(f"Σₜ Σₙ {letter}[t, n, {index[0]}]{other}", total(shares), note)
