"""The δ budget of a network and a batch."""

from __future__ import annotations

from ..arrays import Array
from ..nn import Loss, Module
from .delta_budget import Budget, budget_of
from .trace import trace

__all__ = ["budget"]


def budget(net: Module, x: Array | tuple[Array, ...], target: Array | None, loss: Loss) -> Budget:
    """What every layer makes of the size of δ: one batch forward and back, and the causes named.

        ‖δˡ‖ / ‖δˡ⁺¹‖ = (factor of Wᵀ) (factor of σ′) (factors of normalisation, pooling and the rest)

    The gradients of the network stay as they were.

    These causes are named wherever they are found: ``saturated``, a tenth or more of an activation's units have
    |σ′| < 0.001; ``dead ReLU``, a quarter or more of its units (for images: channels) are 0 for the whole batch;
    ``sign-locked``, in nine samples of ten the inputs of a linear layer are all > 0 (or all < 0), so that all ∂J/∂w of
    a neuron have one sign; ``small W`` and ``large W``, Wᵀ multiplies ‖δ‖ by less than 0.1 or more than 10;
    ``underflow``, δ is below 10⁻³⁰, or has become 0; ``not finite``. And where ‖δ‖ as a whole falls (or grows) a
    hundredfold, what took part in it: factors of Wᵀ below 0.75 (above 1.33), and as ``small σ′`` activations with a
    factor below 0.5.

    Args:
        net: any module.
        x: a batch; a tuple for several inputs.
        target: what ``loss`` compares with.
        loss: a loss with ``reduction="mean"`` or ``"sum"``.

    Returns:
        The budget: print it, read its rows, or ``plot()`` it.
    """
    parameters = [*net.parameters(), *loss.parameters()]
    gradients = [p.grad_array for p in parameters]
    try:
        return budget_of(trace(net, x, target, loss, keep=2**62).calls)
    finally:
        for p, gradient in zip(parameters, gradients, strict=True):
            p.grad = gradient
