"""Restricted Boltzmann machine: two layers that explain each other, trained by contrastive divergence."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..random import default_rng
from ..tensor import Parameter
from . import init
from .expect import expect_floating, expect_shape
from .layer import Layer
from .reduction import softplus

__all__ = ["BernoulliRBM"]


class BernoulliRBM(Layer):
    """Binary units in two layers, visible v and hidden h, of which each layer is independent given the other.

        p(h = 1 | v) = σ(v Wᵀ + c)

        ∂J/∂W = εᵀ v        ∂J/∂c = Σₙ εₙ        ∂J/∂b = 0        ∂J/∂v = ε W        ε = δ ⊙ p ⊙ (1 - p)

    Called as a layer, it is its upper half: the probabilities of the hidden units, and their gradients, as of
    Linear and Sigmoid, so that a trained one can stand in a network. The lower half is :meth:`visible`. What it
    learns by itself is a distribution, p(v) = e^-F(v) / Z, with :meth:`contrastive_divergence` in the place of
    forward, loss and backward::

        rbm.zero_grad();  rbm.contrastive_divergence(v);  optimizer.step()

    Shapes: v (N, V) or (V,), h and δ (N, H) or (H,), W (H, V), b (V,), c (H,).

    Args:
        n_visible: V.
        n_hidden: H.
        chains: how many persistent chains to keep, in the buffer ``chain`` (chains, V); they start at 0.
        rng: where initial values and samples are drawn from; the default generator if ``None``.

    Initial values: W normal with standard deviation 0.01, b and c 0 (Hinton 2010, section 8).

    Raises:
        ShapeError: the last axis of v is not V.
        DtypeError: v is not of the parameters' dtype.
        OptionError: a layer without units, or less than no chains.

    Source: Hinton, Training products of experts by minimizing contrastive divergence, 2002; persistent chains:
    Tieleman, Training restricted Boltzmann machines using approximations to the likelihood gradient, 2008.
    """

    chain: Array | None

    def __init__(
        self, n_visible: int, n_hidden: int, chains: int = 0, *, rng: np.random.Generator | None = None
    ) -> None:
        super().__init__()
        if n_visible < 1 or n_hidden < 1 or chains < 0:
            got = f"n_visible={n_visible}, n_hidden={n_hidden}, chains={chains}"
            raise OptionError("BernoulliRBM with a unit or more in each layer, chains=0 or more", got, "raise it")
        self.n_visible = n_visible
        self.n_hidden = n_hidden
        self.rng = rng
        self.weight = Parameter(np.empty((n_hidden, n_visible), np.float32))
        self.visible_bias = Parameter(np.zeros(n_visible, np.float32))
        self.hidden_bias = Parameter(np.zeros(n_hidden, np.float32))
        init.normal_(self.weight, 0.0, 0.01, rng=rng)
        self.register_buffer("chain", np.zeros((chains, n_visible), np.float32) if chains else None)

    def forward(self, ctx: Ctx, v: Array) -> Array:
        self._expect("V", v, self.n_visible)
        ctx.v = v
        p = ctx.p = self.hidden(v)
        return p

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        v, p, W = ctx.v, ctx.p, self.weight.array
        epsilon = delta * p * (1 - p)  # (N, H)
        rows = epsilon.reshape(-1, self.n_hidden)
        self.weight.accumulate(rows.T @ v.reshape(-1, self.n_visible))
        self.hidden_bias.accumulate(rows.sum(axis=0))
        self.visible_bias.accumulate(array_module(v).zeros_like(self.visible_bias.array))
        return epsilon @ W

    def hidden(self, v: Array) -> Array:
        """p(h = 1 | v): (N, V) to (N, H)."""
        self._expect("V", v, self.n_visible)
        return kernels.sigmoid(v @ self.weight.array.T + self.hidden_bias.array)

    def visible(self, h: Array) -> Array:
        """p(v = 1 | h) = σ(h W + b): (N, H) to (N, V)."""
        self._expect("H", h, self.n_hidden)
        return kernels.sigmoid(h @ self.weight.array + self.visible_bias.array)

    def sample(self, p: Array) -> Array:
        """Each unit 1 with its probability, else 0. The same seed draws the same in float32 and float64."""
        draws = array_module(p).asarray((self.rng or default_rng()).random(p.shape, np.float32))  # in [0, 1)
        return (draws < p).astype(p.dtype)

    def gibbs(self, v: Array, k: int = 1) -> Array:
        """k steps of the chain v → h → v, each unit sampled: (N, V) to (N, V)."""
        for _ in range(k):
            v = self.sample(self.visible(self.sample(self.hidden(v))))
        return v

    def free_energy(self, v: Array) -> Array:
        """F(v) = -b·v - Σⱼ log (1 + e^(Wⱼ·v + cⱼ)), so that p(v) = e^-F(v) / Z: (N, V) to (N,)."""
        self._expect("V", v, self.n_visible)
        return -(v @ self.visible_bias.array) - softplus(v @ self.weight.array.T + self.hidden_bias.array).sum(axis=-1)

    def contrastive_divergence(self, v: Array, k: int = 1, persistent: bool = False) -> Array:
        """Add to the parameters' ``grad`` an estimate of ∂(-log p(v))/∂parameter, the mean over the batch.

            J = mean F(v) - mean F(v⁻)        v⁻: k Gibbs steps from v, or from the persistent chains

            ∂J/∂W = h⁻ᵀ v⁻ / N⁻ - hᵀ v / N        ∂J/∂c = mean h⁻ - mean h        ∂J/∂b = mean v⁻ - mean v

        with h = p(h = 1 | v) and v⁻ held fixed. From the true p(v) for v⁻ this is the gradient of -log p(v) itself;
        k steps come the closer to it the larger k is, and persistent chains the slower the parameters change.

        Args:
            v: a batch (N, V) of numbers from 0 to 1.
            k: Gibbs steps, at least 1.
            persistent: whether the chains of the buffer ``chain`` are moved on, in the place of new ones from v.

        Returns:
            J, to be watched; it is not bounded, and near 0 when the machine has learnt the data.

        Raises:
            OptionError: k below 1, or persistent chains asked for and none kept.
            ShapeError: v is not a batch (N, V), or empty. DtypeError: v is not of the parameters' dtype.

        Source: Hinton 2002, equation 9; Tieleman 2008, section 3.
        """
        expect_floating(v, self.weight.array.dtype)
        if v.ndim != 2 or len(v) == 0 or v.shape[1] != self.n_visible:
            cure = "v[None] makes a batch of one" if v.ndim == 1 else "give a batch of rows"
            raise ShapeError(f"v of shape (N, V={self.n_visible}), N ≥ 1", f"shape {v.shape}", cure)
        if k < 1:
            raise OptionError("contrastive_divergence with k ≥ 1 steps", f"k={k!r}", "k=1 is usual")
        if persistent and self.chain is None:
            cure = "BernoulliRBM(n_visible, n_hidden, chains=100) keeps a hundred"
            raise OptionError("persistent chains to move on", "none kept by this machine", cure)
        model = self.gibbs(self.chain if persistent else v, k)
        if persistent and self.chain is not None:
            self.chain[...] = model
        for sign, rows in ((1, model), (-1, v)):
            h = self.hidden(rows) * (sign / len(rows))
            self.weight.accumulate(h.T @ rows)
            self.hidden_bias.accumulate(h.sum(axis=0))
            self.visible_bias.accumulate(rows.sum(axis=0) * (sign / len(rows)))
        return self.free_energy(v).mean() - self.free_energy(model).mean()

    def extra_repr(self) -> str:
        chains = "" if self.chain is None else f", chains={len(self.chain)}"
        return f"n_visible={self.n_visible}, n_hidden={self.n_hidden}{chains}"

    def _expect(self, letter: str, x: Array, size: int) -> None:
        expect_floating(x, self.weight.array.dtype)
        expect_shape(x, f"… {letter}", {letter: size}, "make the last axis the units of that layer")
