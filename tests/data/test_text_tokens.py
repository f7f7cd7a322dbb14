"""Text to tokens to numbers: cleaning, tokenize, Vocab."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numnet.data import text
from numnet.errors import DtypeError, LabelError, MissingExtraError, OptionError

LINES = ["The Time Machine, by H. G. Wells [1898]", "", "I", "the Time-Traveller (for so it will be"]


def test_only_letters_are_left() -> None:
    cleaned = ["the time machine by h g wells", "", "i", "the time traveller for so it will be"]
    assert text.letters_only(LINES) == cleaned


@pytest.mark.proves("C243")
def test_words_and_characters() -> None:
    assert text.tokenize(["the time machine", "", "  a  b "]) == [["the", "time", "machine"], [], ["a", "b"]]
    assert text.tokenize(["a b", ""], "char") == [["a", " ", "b"], []]


def test_tokenize_refuses() -> None:
    with pytest.raises(OptionError, match='"chinese"'):
        text.tokenize(["a"], "letter")  # type: ignore[arg-type]
    with pytest.raises(DtypeError, match="splitlines"):
        text.tokenize("one string")
    with pytest.raises(DtypeError, match="line 1"):
        text.tokenize(["a", b"b"])  # type: ignore[list-item]


@pytest.mark.proves("C244")
def test_chinese_words_by_jieba() -> None:
    pytest.importorskip("jieba", reason='jieba is not installed: pip install ".[chinese]"')
    line = "循环神经网络可以很好的处理序列信息"
    words = text.tokenize([line, ""], "chinese")
    assert "".join(words[0]) == line
    assert words[1] == []
    assert {"神经网络", "处理", "序列", "信息"} <= set(words[0])
    assert text.tokenize(["梯度 剪裁"], "chinese") == [["梯度", "剪裁"]]


@pytest.mark.proves("C244")
def test_without_jieba_the_error_names_the_way_by_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **options: Any) -> Any:
        if name == "jieba":
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtraError, match=r'numnet\[chinese\].*token="char"'):
        text.tokenize(["梯度剪裁"], "chinese")
    assert text.tokenize(["梯度剪裁"], "char") == [["梯", "度", "剪", "裁"]]


TOKENS = [["b", "a", "c"], ["a", "b", "d"], [], ["a"]]


@pytest.mark.proves("C243")
def test_vocab_numbers_by_frequency_and_ties_by_first_appearance() -> None:
    vocab = text.Vocab(TOKENS)
    assert vocab.idx_to_token == ["<unk>", "a", "b", "c", "d"]
    assert vocab.token_freqs == [("a", 3), ("b", 2), ("c", 1), ("d", 1)]
    assert (len(vocab), vocab["a"], vocab["z"], vocab.unk) == (5, 1, 0, 0)
    assert vocab[["a", ["b", "z"]]] == [1, [2, 0]]
    assert vocab.to_tokens([1, [2, 0]]) == ["a", ["b", "<unk>"]]
    assert vocab.to_tokens(np.array([[4], [3]])) == [["d"], ["c"]]
    assert vocab.to_tokens(np.int64(1)) == vocab.to_tokens(np.array(1)) == "a"
    assert "a" in vocab
    assert "z" not in vocab
    assert list(vocab) == vocab.idx_to_token
    assert repr(vocab) == "Vocab(5 tokens: '<unk>', 'a', 'b', 'c', 'd')"


@pytest.mark.proves("C243")
def test_reserved_tokens_come_first_and_rare_ones_are_unknown() -> None:
    vocab = text.Vocab(TOKENS, min_freq=2, reserved_tokens=["<pad>", "<bos>"])
    assert vocab.idx_to_token == ["<unk>", "<pad>", "<bos>", "a", "b"]
    assert vocab["c"] == 0
    assert ("c", 1) in vocab.token_freqs, "what was left out can be looked up"
    again = text.Vocab(reserved_tokens=vocab.idx_to_token[1:])
    assert again.token_to_idx == vocab.token_to_idx
    assert len(text.Vocab()) == 1
    with pytest.raises(OptionError, match="'<pad>'"):
        text.Vocab(reserved_tokens=["<pad>", "<bos>", "<pad>"])
    with pytest.raises(OptionError, match="number 0 by itself"):
        text.Vocab(reserved_tokens=["<unk>"])


@given(st.lists(st.text(alphabet="abcdef", min_size=1, max_size=2), max_size=40), st.integers(0, 3))
def test_vocab_there_and_back(tokens: list[str], min_freq: int) -> None:
    vocab = text.Vocab(tokens, min_freq)
    numbers = vocab[tokens]
    known = [token if tokens.count(token) >= min_freq else "<unk>" for token in tokens]
    assert vocab.to_tokens(numbers) == known
    frequencies = [tokens.count(token) for token in vocab.idx_to_token[1:]]
    assert frequencies == sorted(frequencies, reverse=True)
    assert sum(frequency for _, frequency in vocab.token_freqs) == len(tokens)


def test_vocab_refuses() -> None:
    vocab = text.Vocab(TOKENS)
    with pytest.raises(DtypeError, match="to_tokens"):
        vocab[3]  # type: ignore[index]
    with pytest.raises(DtypeError, match=r"vocab\[token\]"):
        vocab.to_tokens("a")
    with pytest.raises(DtypeError, match="integers"):
        vocab.to_tokens([1.5])
    with pytest.raises(DtypeError, match="strings"):
        text.Vocab([1, 2])
    with pytest.raises(DtypeError, match=r"(?s)list of tokens.*'<pad>'"):
        text.Vocab(TOKENS, reserved_tokens="<pad>")  # else five tokens: <, p, a, d, >
    for wrong in (-1, 5):
        with pytest.raises(LabelError, match=f"0 … 4\n.*{wrong}"):
            vocab.to_tokens([0, wrong])


@pytest.mark.proves("C243")
def test_the_time_machine_has_28_characters(data_folder: Path) -> None:
    lines = text.letters_only(text.read_time_machine(data_folder))
    assert len(lines) == 3221
    assert lines[0] == "the time machine by h g wells"
    characters, words = text.tokenize(lines, "char"), text.tokenize(lines)
    vocab = text.Vocab(characters)
    assert len(vocab) == 28
    assert vocab.idx_to_token[:6] == ["<unk>", " ", "e", "t", "a", "i"], "as d2l prints them"
    assert sum(map(len, characters)) == 170580
    assert text.Vocab(words).token_freqs[:4] == [("the", 2261), ("i", 1267), ("and", 1245), ("of", 1155)]
    assert len(text.Vocab(words)) == 4580
