"""L-BFGS: steps that know the curvature, from the last few gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ..arrays import Array, array_module
from ..errors import DtypeError, OptionError
from ..tensor import Tensor
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer, evaluated, expect_alike, expect_at_least_zero

__all__ = ["LBFGS"]

STRAIGHT = 1e-10  # a change of the gradient that tells less than this about the curvature is not remembered


class LBFGS(Optimizer):
    """L-BFGS: Newton's step, by an inverse Hessian that the last steps and changes of the gradient stand for.

        q = -∂J/∂W
        for the last pairs (s, y), newest first:    aᵢ = sᵢ · q / (yᵢ · sᵢ)        q ← q - aᵢ yᵢ
        p = (s · y) / (y · y) q                                                    of the newest pair
        the same, oldest first:                     p ← p + (aᵢ - yᵢ · p / (yᵢ · sᵢ)) sᵢ
        W ← W + t p        s = t p        y = the change of ∂J/∂W

    The first p is -∂J/∂W, with t = η min(1, 1 / ‖∂J/∂W‖₁). Then t = η; with ``line_search_fn="strong_wolfe"`` that is
    where the search for t starts. All parameters are one long vector W, in one group; those without a gradient stay.
    One call of ``step`` goes on until a tolerance is met or a number used up, so it needs a closure:

        def closure():
            optimizer.zero_grad()
            J = loss(net(x), y)
            net.backward(loss.backward())
            return J

        optimizer.step(closure)

    Args:
        params: parameters; see :class:`Optimizer`.
        lr: η, the length of a step, or where the search for it starts.
        max_iter: how many steps at most in a call of ``step``.
        max_eval: how many calls of the closure at most, by default 1¼ ``max_iter``.
        tolerance_grad: end where no element of the gradient is larger.
        tolerance_change: end where neither a weight nor J changes more.
        history_size: how many pairs to remember.
        line_search_fn: ``"strong_wolfe"`` or ``None``.

    Raises:
        OptionError: more than one group, a negative number, an unknown line search; see also :class:`Optimizer`.

    Source: Nocedal and Wright, Numerical optimization, 2006, algorithms 7.4 and 7.5, in the form of
    ``torch.optim.LBFGS``.
    """

    _numbers: ClassVar[Mapping[str, type]] = {
        "func_evals": int,
        "n_iter": int,
        "t": float,
        "ro": float,
        "H_diag": float,
        "prev_loss": float,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "max_iter", "max_eval", "history_size")
        search = options["line_search_fn"]
        if search not in (None, "strong_wolfe"):
            raise OptionError('"strong_wolfe" or None', f"line_search_fn={search!r}", 'line_search_fn="strong_wolfe"')

    def add_param_group(self, group: Any) -> None:
        """The one group; a second is refused. Raises OptionError."""
        if self.param_groups:
            raise OptionError("one group of parameters", "another", "put all parameters into one list")
        super().add_param_group(group)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """As every optimiser's; the scratch space ``"al"`` of PyTorch's is left out."""
        memories = state_dict["state"]
        kept = {i: {name: value for name, value in memories[i].items() if name != "al"} for i in memories}
        super().load_state_dict({**state_dict, "state": kept})

    def _memory_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (sum(p.array.size for p in self._parameters()),)

    # ------------------------------------------------------------------ the step

    def _step(self, closure: Callable[[], Any] | None) -> Any:
        if closure is None:
            cure = "optimizer.step(closure), where closure() calls zero_grad, computes J and its gradients, returns J"
            raise OptionError("a closure", "none", cure)
        options = self.param_groups[0]
        lr, most, most_calls = float(options["lr"]), options["max_iter"], options["max_eval"]
        memory = self._memory()
        first_J = evaluated(closure)
        J, delta = float(first_J), self._gradient()
        memory["func_evals"] += 1
        calls, steps = 1, 0
        while steps < most and not _largest(delta) <= options["tolerance_grad"]:
            steps += 1
            memory["n_iter"] += 1
            if memory["n_iter"] == 1:
                memory.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0, d=-delta)
                t = min(1.0, 1.0 / float(abs(delta).sum())) * lr
            else:
                _remember(memory, delta, options["history_size"])
                memory["d"] = _direction(memory, delta)
                t = lr
            before = memory["prev_loss"] = J
            memory["prev_flat_grad"] = delta
            p = memory["d"]
            memory["t"] = t
            slope = float(delta @ p)
            if slope > -options["tolerance_change"]:
                break
            if options["line_search_fn"] is not None:
                W = self._weights()
                point, tried = strong_wolfe(
                    lambda t, W=W, p=p: self._evaluate(closure, W, p, t),  # type: ignore[misc]
                    Point(0.0, J, delta, slope),
                    t,
                    _largest(p),
                    most_calls - calls,
                )
                self._move(W, p, point.t)
                t = memory["t"] = point.t
                J, delta = point.J, point.delta
            else:
                self._move(self._weights(), p, t)
                tried = 0
                if steps < most:  # the gradient after the last step is the next call's business
                    J, delta, tried = float(evaluated(closure)), self._gradient(), 1
            calls += tried
            memory["func_evals"] += tried
            change = options["tolerance_change"]
            if calls >= most_calls or _largest(p * t) <= change or abs(J - before) < change:
                break
        return first_J

    def _memory(self) -> dict[str, Any]:
        """The one memory, which is the first parameter's."""
        first = next(self._parameters())
        for p in self._parameters():
            if p.dtype != first.dtype:
                cure = "convert the network: net.double()"
                raise DtypeError("parameters of one dtype", f"{first.dtype} and {p.dtype}", cure)
        memory = self.state.setdefault(first, {"func_evals": 0, "n_iter": 0})
        expect_alike(first, memory)
        return memory

    def _evaluate(self, closure: Callable[[], Any], W: list[Array], p: Array, t: float) -> Point:
        """J and its gradient at W + t p; the parameters are W again afterwards."""
        self._move(W, p, t)
        try:
            J = float(evaluated(closure))
            delta = self._gradient()
        finally:
            self._move(W, p, 0.0)
        return Point(t, J, delta, float(delta @ p))

    def _weights(self) -> list[Array]:
        return [p.array.copy() for p in self._parameters()]

    def _gradient(self) -> Array:
        """∂J/∂W of all parameters as one vector; 0 where there is none."""
        xp = array_module(next(self._parameters()).array)
        parts = [
            xp.zeros_like(p.array) if p.grad_array is None or not p.requires_grad else p.grad_array
            for p in self._parameters()
        ]
        return xp.concatenate([part.ravel() for part in parts])

    def _move(self, W: list[Array], p: Array, t: float) -> None:
        """Set the parameters to W + t p."""
        for (parameter, part), weight in zip(self._parts(p), W, strict=True):
            parameter.array[...] = weight + t * part if t else weight

    def _parts(self, vector: Array) -> Iterator[tuple[Tensor, Array]]:
        begin = 0
        for p in self._parameters():
            yield p, vector[begin : begin + p.array.size].reshape(p.shape)
            begin += p.array.size


def _largest(vector: Array) -> float:
    return float(abs(vector).max()) if vector.size else 0.0


def _remember(memory: dict[str, Any], delta: Array, history_size: int) -> None:
    """Add the last pair (s, y) to the memory, if it tells of a curvature above 0."""
    y, s = delta - memory["prev_flat_grad"], memory["d"] * memory["t"]
    curvature = float(y @ s)
    if curvature > STRAIGHT:
        memory["old_dirs"].append(y)
        memory["old_stps"].append(s)
        memory["ro"].append(1.0 / curvature)
        memory["H_diag"] = curvature / float(y @ y)
        for name in ("old_dirs", "old_stps", "ro"):
            del memory[name][: max(0, len(memory[name]) - history_size)]


def _direction(memory: dict[str, Any], delta: Array) -> Array:
    """p: the gradient, turned back and multiplied by the inverse Hessian of the memory."""
    pairs = list(zip(memory["old_stps"], memory["old_dirs"], memory["ro"], strict=True))
    q, shares = -delta, []
    for s, y, per_curvature in reversed(pairs):
        shares.append(float(s @ q) * per_curvature)
        q = q - shares[-1] * y
    p = memory["H_diag"] * q
    for (s, y, per_curvature), share in zip(pairs, reversed(shares), strict=True):
        p = p + (share - float(y @ p) * per_curvature) * s
    return p
