"""Every check of the contract is seen to fail: on a layer that is right in everything but one thing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from contract import (
    ON_INPUTS,
    check_called_twice,
    check_dtype,
    check_float32,
    check_gradients,
    check_layouts,
    check_no_grad,
    check_nothing_left,
    check_refusals,
    check_saves_what_it_reads,
    check_small_batches,
    check_text,
    check_threads,
    check_three_ways,
    check_twins,
    numbers,
)

from numnet import _ext, kernels, nn
from numnet.call import Ctx
from numnet.errors import DtypeError, NumnetError


class Scale(nn.Layer):
    """Right in everything; the broken ones below each differ in one thing.

        z = w x

        ∂J/∂w = Σ δ x        ∂J/∂x = w δ

    Shapes: any.
    """

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(np.array([1.5], np.float32))

    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        if x.dtype != self.w.dtype:
            raise DtypeError("x as w", str(x.dtype), f"x.astype(np.{self.w.dtype})")
        ctx.x = x
        return self.w.data * x

    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        self.w.accumulate((delta * ctx.x).sum().reshape(1))
        return self.w.data * delta


class WrongGradient(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        self.w.accumulate((delta * ctx.x).mean().reshape(1))
        return self.w.data * delta


class WrongInOneElement(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        delta_x = Scale.backward(self, ctx, delta)
        delta_x.flat[-1] *= 1.00001
        return delta_x


class OverwritesGrad(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        self.w.grad = (delta * ctx.x).sum().reshape(1)
        return self.w.data * delta


class KeepsOnSelf(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        self.x = x
        return Scale.forward(self, ctx, x)

    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        self.w.accumulate((delta * self.x * (ctx.x != 0)).sum().reshape(1))
        return self.w.data * delta


class WritesIntoDelta(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        delta_x = Scale.backward(self, ctx, delta)
        delta *= 2
        return delta_x


class ReadsMemoryOrder(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x).ravel(order="K").reshape(x.shape)


class Upcasts(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x) * np.float64(1)


class LosesPrecision(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        z = Scale.forward(self, ctx, x)
        return z if z.dtype == np.float64 else z.astype(np.float16).astype(z.dtype)


class SavesTooMuch(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        ctx.z = Scale.forward(self, ctx, x)
        return ctx.z


class DiffersUnderNoGrad(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x) + (not ctx.recording)


class NanOnEmpty(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        delta_x = Scale.backward(self, ctx, delta)
        if not delta.size:
            self.w.grad[...] = np.nan
        return delta_x


class TakesIntegers(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x.astype(self.w.dtype))


class Counts(Scale):
    calls = 0

    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        type(self).calls += 1
        return Scale.forward(self, ctx, x) + 1e-9 * self.calls


class DiffersByTwin(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x) + (1e-6 if kernels.twin("linear") == "native" else 0)


class DiffersByThreads(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x) * (1 + 2e-16 * _ext.modules["runtime"].get_num_threads())


BROKEN = [
    (check_gradients, WrongGradient),
    (check_gradients, WrongInOneElement),
    (check_gradients, OverwritesGrad),
    (check_called_twice, KeepsOnSelf),
    (check_layouts, WritesIntoDelta),
    (check_layouts, ReadsMemoryOrder),
    (check_dtype, Upcasts),
    (check_float32, LosesPrecision),
    (check_nothing_left, KeepsOnSelf),
    (check_saves_what_it_reads, SavesTooMuch),
    (check_no_grad, DiffersUnderNoGrad),
    (check_small_batches, NanOnEmpty),
    (check_refusals, TakesIntegers),
    (check_three_ways, Counts),
]
NATIVE_ONLY = [(check_twins, DiffersByTwin), (check_threads, DiffersByThreads)]


@pytest.mark.parametrize("check", [*ON_INPUTS, check_threads], ids=lambda check: check.__name__)
def test_a_right_layer_passes(check: Callable[..., None]) -> None:
    if check is not check_threads or "runtime" in _ext.modules:
        check(Scale().double(), (numbers(5, 7),))
    assert check in {broken for broken, _ in BROKEN + NATIVE_ONLY}, "a check that is never seen to fail"


@pytest.mark.parametrize("check, broken", BROKEN, ids=lambda value: value.__name__)
def test_a_broken_layer_fails(check: Callable[..., None], broken: type[nn.Layer]) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception, ValueError, NumnetError)):
        check(broken().double(), (numbers(5, 7),))


@pytest.mark.skipif("runtime" not in _ext.modules, reason="the compiled kernels are not built")
@pytest.mark.parametrize("check, broken", NATIVE_ONLY, ids=lambda value: value.__name__)
def test_a_broken_layer_fails_with_compiled_kernels(check: Callable[..., None], broken: type[nn.Layer]) -> None:
    with pytest.raises(AssertionError):
        check(broken().double(), (numbers(5, 7),))


def test_a_layer_without_formulas_fails() -> None:
    class Silent(nn.Layer):
        pass

    with pytest.raises(AssertionError, match="formula"):
        check_text(Silent)
