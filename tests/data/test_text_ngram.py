"""Language models that count."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numnet.data import text
from numnet.data.text.draw import draw
from numnet.errors import DataError, DomainError, DtypeError, LabelError, OptionError

WORDS = ["the", "cat", "sat", "on", "the", "mat", "and", "the", "cat", "ran"]
VOCAB = text.Vocab(WORDS)
CORPUS = VOCAB[WORDS]
THE, CAT, MAT, RAN = VOCAB[["the", "cat", "mat", "ran"]]


@pytest.mark.proves("C246")
def test_counts_of_one_two_and_three_words() -> None:
    assert text.count_ngrams(WORDS, 1).most_common(2) == [(("the",), 3), (("cat",), 2)]
    assert text.count_ngrams(WORDS, 2)[("the", "cat")] == 2
    assert text.count_ngrams(WORDS, 3) == dict.fromkeys(zip(WORDS, WORDS[1:], WORDS[2:], strict=False), 1)
    assert text.count_ngrams([], 2) == {}
    with pytest.raises(OptionError, match="n=0"):
        text.count_ngrams(WORDS, 0)


@pytest.mark.proves("C245", "C246")
def test_without_smoothing_they_are_relative_frequencies() -> None:
    model = text.NgramModel(2, len(VOCAB), k=0).fit(CORPUS)
    assert model.probability(CAT, [THE]) == pytest.approx(2 / 3)
    assert model.probability(MAT, [THE]) == pytest.approx(1 / 3)
    assert model.probability(THE) == pytest.approx(3 / 10)
    joint = 3 / 10 * 2 / 3 * 1 / 2  # P(the) P(cat | the) P(ran | cat)
    assert np.exp(model.log_probability([THE, CAT, RAN])) == pytest.approx(joint)
    assert model.perplexity([THE, CAT, RAN]) == pytest.approx(joint ** (-1 / 3))
    assert model.log_probability([CAT, CAT]) == -np.inf
    assert model.perplexity([CAT, CAT]) == np.inf


@pytest.mark.proves("C246")
def test_smoothing_by_hand() -> None:
    V = len(VOCAB)
    added = text.NgramModel(2, V, k=2, smoothing="add").fit(CORPUS)
    assert added.probability(CAT, [THE]) == pytest.approx((2 + 2 / V) / (3 + 2))
    assert added.probability(RAN, [THE]) == pytest.approx((2 / V) / (3 + 2))
    mixed = text.NgramModel(2, V, k=2).fit(CORPUS)
    cat = (2 + 2 / V) / (10 + 2)
    assert mixed.probability(CAT) == pytest.approx(cat)
    assert mixed.probability(CAT, [THE]) == pytest.approx((2 + 2 * cat) / (3 + 2))
    trigram = text.NgramModel(3, V, k=0).fit(CORPUS)
    assert trigram.probability(CAT, [RAN, THE]) == pytest.approx(2 / 3), "a context never seen: the shorter one"


@pytest.mark.proves("C242", "C245")
@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=12),
    st.integers(1, 3),
    st.sampled_from([0, 0.1, 3.0]),
    st.sampled_from(["add", "interpolate"]),
)
def test_the_probabilities_of_all_texts_add_up_to_one(corpus: list[int], n: int, k: float, smoothing: Any) -> None:
    model = text.NgramModel(n, 3, k=k, smoothing=smoothing).fit(corpus)
    total = sum(np.exp(model.log_probability(x)) for x in itertools.product(range(3), repeat=3))
    assert total == pytest.approx(1)


@pytest.mark.proves("C242")
def test_a_markov_model_of_order_k_sees_k_tokens() -> None:
    corpus = np.array([0, 0, 1, 1] * 50)  # the next token needs the last two
    perplexities = [text.NgramModel(order + 1, 2, k=1e-6).fit(corpus).perplexity(corpus) for order in range(3)]
    assert perplexities[0] == pytest.approx(2, rel=1e-3)
    assert perplexities[1] == pytest.approx(2, rel=1e-2)
    assert perplexities[2] == pytest.approx(1, abs=0.02)
    second = text.NgramModel(3, 2).fit(corpus)
    np.testing.assert_array_equal(second.distribution([1, 1, 0, 0]), second.distribution([0, 0]))
    np.testing.assert_array_equal(second.generate([0, 0], 6, temperature=0), [0, 0, 1, 1, 0, 0, 1, 1])


@pytest.mark.proves("C252")
def test_perplexity_is_v_for_the_uniform_model_and_one_for_a_perfect_one() -> None:
    uniform = text.NgramModel(1, 7, k=1e12).fit([0])
    assert uniform.perplexity([3, 1, 4, 1, 5]) == pytest.approx(7)
    certain = text.NgramModel(1, 7, k=0).fit([3])
    assert certain.perplexity([3, 3, 3]) == pytest.approx(1)


def test_generated_tokens_follow_the_distribution() -> None:
    model = text.NgramModel(2, len(VOCAB), k=0).fit(CORPUS)
    rng = np.random.default_rng(0)
    drawn = [int(model.generate([THE], 1, rng=rng)[-1]) for _ in range(600)]
    assert set(drawn) == {CAT, MAT}
    assert drawn.count(CAT) / 600 == pytest.approx(2 / 3, abs=0.06)
    assert model.generate([], 5, rng=rng).shape == (5,)
    assert len(set(model.generate([THE], 50, temperature=100.0, rng=rng).tolist())) > 4


def test_draw() -> None:
    scores = np.log([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-300]])
    rng = np.random.default_rng(0)
    share = np.mean([draw(scores, rng=rng) == [2, 0] for _ in range(800)], axis=0)
    np.testing.assert_allclose(share, [0.7, 0.5], atol=0.06)
    cold = np.mean([draw(scores, 0.5, rng)[0] == 2 for _ in range(800)])
    assert cold == pytest.approx(0.49 / 0.54, abs=0.05)
    np.testing.assert_array_equal(draw(scores, 0), [2, 0])
    assert draw(np.array([-np.inf, 0.0], np.float32), rng=rng) == 1
    np.testing.assert_array_equal(draw(scores, 1e-320)[:1], [2])  # and no warning
    for wrong in (-1, np.nan):
        with pytest.raises(OptionError, match=str(wrong)):
            draw(scores, wrong)
    with pytest.raises(DomainError, match="diverged"):
        draw(np.array([np.nan, 1.0]))


def test_refusals() -> None:
    for n, size, k in ((0, 3, 1.0), (1, 0, 1.0), (1, 3, -1.0)):
        with pytest.raises(OptionError, match=f"n={n}, vocab_size={size}, k={k}"):
            text.NgramModel(n, size, k=k)
    with pytest.raises(OptionError, match="'backoff'"):
        text.NgramModel(2, 3, smoothing="backoff")  # type: ignore[arg-type]
    model = text.NgramModel(2, 3)
    with pytest.raises(DataError, match=r"model\.fit"):
        model.probability(0)
    with pytest.raises(DataError, match="none"):
        model.fit([])
    with pytest.raises(LabelError, match="7"):
        model.fit([0, 7])
    with pytest.raises(DtypeError, match=r"vocab\[tokens\]"):
        model.fit(["a", "b"])
    with pytest.raises(DataError, match="none"):
        model.fit([0, 1]).perplexity([])


@pytest.mark.proves("C246")
def test_longer_contexts_know_the_time_machine_better(data_folder: Path) -> None:
    characters = text.tokenize(text.letters_only(text.read_time_machine(data_folder)), "char")
    vocab = text.Vocab(characters)
    corpus = [i for line in vocab[characters] for i in line]
    train, held_out = corpus[:40000], corpus[40000:42000]
    perplexities = [text.NgramModel(n, len(vocab)).fit(train).perplexity(held_out) for n in (1, 2, 3, 4)]
    assert perplexities == sorted(perplexities, reverse=True)
    assert perplexities[0] == pytest.approx(16.7, abs=1)
    assert perplexities[3] < 7
