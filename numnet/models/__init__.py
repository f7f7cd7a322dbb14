"""Models that the tutorials name, each a Module made of public layers."""

from __future__ import annotations

from ..errors import unknown_names
from .alexnet import AlexNet
from .densenet import DenseNet, densenet121, densenet161, densenet169, densenet201
from .googlenet import GoogLeNet, inception
from .gpt import GPT
from .language_model import RNNLanguageModel
from .lenet import LeNet
from .logistic_regression import LogisticRegression
from .mlp import MLP
from .nin import NiN, nin_block
from .resnet import (
    BasicBlock,
    Bottleneck,
    ResNet,
    resnet18,
    resnet20,
    resnet32,
    resnet34,
    resnet44,
    resnet50,
    resnet56,
    resnet101,
    resnet110,
)
from .seq2seq import Seq2Seq
from .tagger import Tagger
from .text_classifier import TextClassifier
from .vgg import VGG, vgg11, vgg13, vgg16, vgg19, vgg_block

__all__ = [
    "GPT",
    "MLP",
    "VGG",
    "AlexNet",
    "BasicBlock",
    "Bottleneck",
    "DenseNet",
    "GoogLeNet",
    "LeNet",
    "LogisticRegression",
    "NiN",
    "RNNLanguageModel",
    "ResNet",
    "Seq2Seq",
    "Tagger",
    "TextClassifier",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "inception",
    "nin_block",
    "resnet18",
    "resnet20",
    "resnet32",
    "resnet34",
    "resnet44",
    "resnet50",
    "resnet56",
    "resnet101",
    "resnet110",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "vgg_block",
]

__getattr__ = unknown_names(__name__)
