"""Embedding: a table of vectors, looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..arrays import Array, array_module, is_array
from ..call import Ctx
from ..errors import DtypeError, LabelError, OptionError, ShapeError, describe
from ..tensor import Parameter, Tensor
from . import init
from .distance import expect_order, norm
from .layer import Layer

__all__ = ["Embedding"]


class Embedding(Layer):
    """A row of a table for every number: words, users, positions as vectors that are learned.

        y[n] = W[x[n]]

        ∂J/∂W[r] = Σ δ[n] over all n with x[n] = r        there is no ∂J/∂x

    Shapes: x any, of integers 0 … num_embeddings - 1, y and δ (…, embedding_dim), W (num_embeddings, embedding_dim).

    Args:
        num_embeddings: how many rows W has.
        embedding_dim: how long they are.
        padding_idx: a row that is not trained: its part of ∂J/∂W is 0, its initial value too. Negative: from the end.
        max_norm: rows about to be looked up that are longer are scaled down to this length, in W itself.
        norm_type: p of the p-norm by which ``max_norm`` measures, above 0.
        scale_grad_by_freq: divide ∂J/∂W[r] by the number of times that r occurs in x.
        sparse: taken for PyTorch's sake; only False is possible.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: standard normal, as PyTorch's.

    Raises:
        OptionError: ``padding_idx`` is no row, ``norm_type`` is not above 0, or ``sparse=True``.
        DtypeError: x does not hold integers.
        LabelError: a number in x is no row.

    Source: Bengio, Ducharme, Vincent and Janvin, A neural probabilistic language model, 2003, section 2.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        if sparse:
            raise OptionError("Embedding(sparse=False): gradients are plain arrays", "sparse=True", "leave it out")
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                expected = f"Embedding with a padding_idx among its {num_embeddings} rows"
                raise OptionError(expected, f"padding_idx={padding_idx}", "count from 0, or from -1 backwards")
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = expect_order(self, norm_type)
        self.scale_grad_by_freq = scale_grad_by_freq
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), np.float32))
        init.normal_(self.weight, rng=rng)
        if padding_idx is not None:
            self.weight.array[padding_idx] = 0

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Array | Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An Embedding whose W is ``embeddings``, shared and not copied; not trained if ``freeze``.

        Raises:
            ShapeError: ``embeddings`` is not (num_embeddings, embedding_dim), or as for the class.
        """
        if embeddings.ndim != 2:
            raise ShapeError("embeddings of shape (num_embeddings, embedding_dim)", describe(embeddings))
        rows, size = embeddings.shape
        undrawn = np.random.default_rng(0)  # the numbers drawn from it are replaced, and the default one stays put
        layer = cls(rows, size, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, rng=undrawn)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def forward(self, ctx: Ctx, x: Array) -> Array:
        self._expect(x)
        ctx.x = x
        if self.max_norm is not None:
            self._renormalise(array_module(x).unique(x))
        return kernels.gather_rows(self.weight.array, x)

    def backward(self, ctx: Ctx, delta: Array) -> None:
        W = self.weight
        if W.requires_grad:
            x = ctx.x.reshape(-1)  # (N,)
            dW = kernels.scatter_rows(delta.reshape(-1, self.embedding_dim), x, self.num_embeddings)
            if self.scale_grad_by_freq:
                times = array_module(x).bincount(x, minlength=self.num_embeddings)  # (rows,)
                dW /= times.clip(1)[:, None].astype(dW.dtype)
            if self.padding_idx is not None:
                dW[self.padding_idx] = 0
            W.accumulate(dW)

    def _renormalise(self, rows: Array) -> None:
        """Scale those of the rows down that are longer than ``max_norm``; 1e-7 keeps them below it, as in PyTorch."""
        W = self.weight.array
        lengths = norm(W[rows], self.norm_type)  # (rows, 1)
        long = (lengths > self.max_norm)[:, 0]
        W[rows[long]] *= self.max_norm / (lengths[long] + 1e-7)

    def _expect(self, x: Array) -> None:
        if not is_array(x) or x.dtype.kind not in "iu":
            raise DtypeError("x of integers, the numbers of rows", describe(x), "x.astype(np.int64)")
        wrong = (x < 0) | (x >= self.num_embeddings)
        if bool(wrong.any()):
            cure = "make num_embeddings one more than the largest number in x, and count from 0"
            got = f"{int(x.reshape(-1)[int(wrong.argmax())])} in x"
            raise LabelError(f"numbers of rows, 0 … {self.num_embeddings - 1}", got, cure)

    def extra_repr(self) -> str:
        settings: list[tuple[str, Any, Any]] = [
            ("padding_idx", self.padding_idx, None),
            ("max_norm", self.max_norm, None),
            ("norm_type", self.norm_type, 2.0),
            ("scale_grad_by_freq", self.scale_grad_by_freq, False),
        ]
        shown = [f"{name}={value}" for name, value, default in settings if value != default]
        return ", ".join([f"{self.num_embeddings}, {self.embedding_dim}", *shown])
