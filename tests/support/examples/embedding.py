"""Tables of vectors."""

from __future__ import annotations

import numpy as np
from contract import Example

from numnet import nn

INDICES = np.array([[0, 3], [1, 3], [3, 0]])

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.Embedding: [Example(lambda: nn.Embedding(4, 3), (INDICES,))],
}
