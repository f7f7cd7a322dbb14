"""Activations."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

X = numbers(3, 5)
WIDE = 3 * X  # reaches past the outer corners, and stands on none
SCALED = (nn.ELU, nn.SELU, nn.CELU, nn.SiLU, nn.Mish, nn.GELU, nn.LogSigmoid, nn.Tanhshrink, nn.Softsign, nn.Softplus)
CORNERED = (nn.ReLU6, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LeakyReLU, nn.Hardshrink, nn.Softshrink)

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    **{cls: [Example(cls, (X,))] for cls in (nn.ReLU, nn.Sigmoid, nn.Tanh, *SCALED)},
    **{cls: [Example(cls, (WIDE,))] for cls in CORNERED},
    nn.Threshold: [Example(lambda: nn.Threshold(0.1, 20.0), (X,))],
    nn.PReLU: [
        Example(nn.PReLU, (numbers(6),)),
        Example(lambda: nn.PReLU(3, 0.1), (numbers(2, 3, 2),)),
    ],
    nn.RReLU: [
        Example(nn.RReLU, (X,)),
        Example(lambda: nn.RReLU().eval(), (X,)),
    ],
    nn.Softmax: [
        Example(lambda: nn.Softmax(dim=1), (numbers(3, 5),)),
        Example(lambda: nn.Softmax(-2), (numbers(2, 3, 2),)),
    ],
    nn.LogSoftmax: [Example(lambda: nn.LogSoftmax(dim=1), (numbers(3, 5),))],
    nn.Softmin: [Example(lambda: nn.Softmin(dim=1), (numbers(3, 5),))],
    nn.Softmax2d: [Example(nn.Softmax2d, (numbers(2, 3, 2, 1),))],
    nn.GLU: [
        Example(nn.GLU, (numbers(3, 4),)),
        Example(lambda: nn.GLU(1), (numbers(2, 4, 3),)),
    ],
}
EXAMPLES[nn.GELU].append(Example(lambda: nn.GELU("tanh"), (X,)))
EXAMPLES[nn.Softplus].append(Example(lambda: nn.Softplus(2.0, 1.0), (numbers(3, 4),)))
