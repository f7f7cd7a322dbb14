"""The networks of the tables in PyTorch, as its users write them; names of parameters are those of numnet.models."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["GPT", "MLP", "LanguageModel", "LeNet", "LogisticRegression", "NiN", "ResNet20", "VGG11Quarter"]


class MLP(nn.Module):
    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes), 1):
            self.layers.add_module(f"fc{number}", nn.Linear(inputs, outputs))
            if number < len(sizes) - 1:
                self.layers.add_module(f"act{number}", nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class LogisticRegression(nn.Module):
    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.lr = nn.Linear(in_features, 1)
        self.sm = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.sm(self.lr(x))


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first = nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)
        second = nn.Conv2d(6, 16, kernel_size=5), nn.Sigmoid(), nn.AvgPool2d(2)
        self.features = nn.Sequential(*first, *second)
        dense = nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)
        self.classifier = nn.Sequential(nn.Flatten(), *dense)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


class Block(nn.Module):
    """Of ResNet-20: two convolutions, and a way around them without parameters."""

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.stride, self.more = stride, channels - inputs

    def forward(self, x: Tensor) -> Tensor:
        z = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        if self.more:
            x = nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return self.relu(z + x)


class ResNet20(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(self.relu(self.bn1(self.conv1(x))))))
        return self.fc(self.avgpool(x).flatten(1))


class VGG11Quarter(nn.Sequential):
    """In d2l's form: linear layers of 4096 units whatever the width, for images of 96 × 96."""

    def __init__(self) -> None:
        def block(number: int, inputs: int, channels: int) -> nn.Sequential:
            layers: list[nn.Module] = []
            for k in range(number):
                layers += [nn.Conv2d(channels if k else inputs, channels, 3, padding=1), nn.ReLU()]
            return nn.Sequential(*layers, nn.MaxPool2d(2, stride=2))

        blocks = block(1, 1, 16), block(1, 16, 32), block(2, 32, 64), block(2, 64, 128), block(2, 128, 128)
        first = nn.Flatten(), nn.Linear(128 * 3 * 3, 4096), nn.ReLU(), nn.Dropout(0.5)
        super().__init__(*blocks, *first, nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, 10))


class NiN(nn.Module):
    def __init__(self) -> None:
        def block(inputs: int, channels: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
            ones = nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1), nn.ReLU()
            return nn.Sequential(nn.Conv2d(inputs, channels, kernel, stride, padding), nn.ReLU(), *ones)

        super().__init__()
        first = block(1, 96, 11, 4, 0), nn.MaxPool2d(3, stride=2), block(96, 256, 5, 1, 2), nn.MaxPool2d(3, stride=2)
        last = block(256, 384, 3, 1, 1), nn.MaxPool2d(3, stride=2), nn.Dropout(0.5), block(384, 10, 3, 1, 1)
        self.net = nn.Sequential(*first, *last, nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class LanguageModel(nn.Module):
    """One-hot vectors, a recurrent layer, a linear one. The scores are (N, T, V)."""

    def __init__(self, vocab_size: int, hidden_size: int, cell: str) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        cells = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        self.rnn = cells[cell](vocab_size, hidden_size, batch_first=True)
        self.linear = nn.Linear(hidden_size, vocab_size)

    def forward(self, x: Tensor) -> Tensor:
        one_hot = nn.functional.one_hot(x, self.vocab_size).to(self.linear.weight.dtype)  # (N, T, V)
        return self.linear(self.rnn(one_hot)[0])


class Attention(nn.Module):
    """One product for queries, keys and values; fused attention. Quicker than ``nn.MultiheadAttention``."""

    def __init__(self, embed_dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * embed_dim, embed_dim))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * embed_dim))
        self.out_proj = nn.Linear(embed_dim, embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        qkv = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias)  # (N, T, 3 C)
        q, k, v = qkv.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)  # (N, heads, T, C / heads)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(y.transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    def __init__(self, embed_dim: int, num_heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(embed_dim), nn.LayerNorm(embed_dim)
        self.self_attn = Attention(embed_dim, num_heads)
        self.linear1, self.linear2 = nn.Linear(embed_dim, 4 * embed_dim), nn.Linear(4 * embed_dim, embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.norm1(x))
        return x + self.linear2(nn.functional.gelu(self.linear1(self.norm2(x))))


class GPT(nn.Module):
    """Quicker than with PyTorch's encoder layers. The scores are (N, T, V)."""

    def __init__(self, vocab_size: int, context: int, embed_dim: int, num_heads: int, num_layers: int) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocab_size, embed_dim)
        self.wpe = nn.Embedding(context, embed_dim)
        self.h = nn.ModuleList([TransformerBlock(embed_dim, num_heads) for _ in range(num_layers)])
        self.ln_f = nn.LayerNorm(embed_dim)
        self.lm_head = nn.Linear(embed_dim, vocab_size, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, x: Tensor) -> Tensor:
        a = self.wte(x) + self.wpe(torch.arange(x.shape[1]))
        for block in self.h:
            a = block(a)
        return self.lm_head(self.ln_f(a))
