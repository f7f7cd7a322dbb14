"""From a text to its tokens: words, characters, or the words of a Chinese text."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from typing import Literal

from ...errors import DtypeError, MissingExtraError, OptionError, describe

__all__ = ["letters_only", "tokenize"]


def letters_only(lines: Iterable[str]) -> list[str]:
    """Every line in lower case, with one blank for whatever is no letter a … z, and none at its ends.

    The Time Machine becomes 26 letters and the blank; with the ``<unk>`` of :class:`Vocab` these are 28 tokens.

    Source: Zhang, Lipton, Li and Smola, Dive into deep learning, 2023, section 9.2.
    """
    return [re.sub("[^A-Za-z]+", " ", line).strip().lower() for line in lines]


def tokenize(lines: Iterable[str], token: Literal["word", "char", "chinese"] = "word") -> list[list[str]]:
    """The tokens of every line.

    Args:
        lines: strings.
        token: ``"word"`` splits at blanks, ``"char"`` into characters (blanks are tokens too), ``"chinese"`` into the
            words that jieba finds, where no blanks stand between them (blanks are left out).

    Returns:
        One list a line; of an empty line the empty list.

    Raises:
        DtypeError: one string in place of a list of lines, or a line that is no string.
        OptionError: another ``token``.
        MissingExtraError: ``"chinese"`` without jieba. ``token="char"``, one character a token, needs no dictionary.
    """
    splits: dict[str, Callable[[], Callable[[str], list[str]]]] = {
        "word": lambda: str.split,
        "char": lambda: list,
        "chinese": _chinese_words,
    }
    if token not in splits:
        raise OptionError('token="word", "char" or "chinese"', f"token={token!r}", "choose one of the three")
    if isinstance(lines, str):
        raise DtypeError("lines, a list of strings", describe(lines), "text.splitlines()")
    split = splits[token]()
    tokens = []
    for number, line in enumerate(lines):
        if not isinstance(line, str):
            raise DtypeError(f"a string as line {number}", describe(line), "decode bytes: line.decode('utf-8')")
        tokens.append(split(line))
    return tokens


def _chinese_words() -> Callable[[str], list[str]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # jieba's own, about how it is packaged
            import jieba
    except ImportError as error:
        missing = MissingExtraError("jieba", "chinese")
        missing.cure += ', or token="char": one character a token needs no dictionary'
        raise missing from error
    return lambda line: [word for word in jieba.lcut(line) if not word.isspace()]
