"""The linear probe that tunes its penalty, and the weighted vote of many neighbours."""

import pytest
import torch

from ssl_dynamics.measures import knn_accuracy, linear_accuracy, tuned_linear_accuracy
from ssl_dynamics.measures import probes as probes_module

PENALTIES = (1e-4, 1e-2, 1.0)


def problem(seeds=2, count=120, features=30):
    chance = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (2 * count,), generator=chance)
    centres = torch.randn(seeds, 3, features, generator=chance)
    x = centres[:, labels] + 3 * torch.randn(seeds, 2 * count, features, generator=chance)
    return x[:, :count], labels[:count], x[:, count:], labels[count:]


def test_the_penalty_is_the_best_on_the_last_fifth_and_test_accuracy_is_that_of_a_refit():
    train, labels, test, test_labels = problem()
    found, chosen = tuned_linear_accuracy(train, labels, test, test_labels, penalties=PENALTIES)
    for seed in range(2):
        one = slice(seed, seed + 1)
        scores = {
            p: float(
                linear_accuracy(
                    train[one, :96], labels[:96], train[one, 96:], labels[96:], penalty=p
                )
            )
            for p in PENALTIES
        }
        best = max(PENALTIES, key=lambda p: (scores[p], p))
        assert float(chosen[seed]) == best
        refit = linear_accuracy(train[one], labels, test[one], test_labels, penalty=best)
        assert float(found[seed]) == pytest.approx(float(refit))


def test_test_labels_do_not_choose():
    train, labels, test, test_labels = problem()
    _, chosen = tuned_linear_accuracy(train, labels, test, test_labels, penalties=PENALTIES)
    _, other = tuned_linear_accuracy(
        train, labels, -test, (test_labels + 1) % 3, penalties=PENALTIES
    )
    assert torch.equal(chosen, other)


def test_float32_agrees_and_a_split_without_images_is_refused():
    sets = problem()
    exact, _ = tuned_linear_accuracy(*sets)
    found, _ = tuned_linear_accuracy(*sets, dtype=torch.float32)
    torch.testing.assert_close(found, exact, atol=0.02, rtol=0)
    with pytest.raises(ValueError, match=r"validation: got 0\.0 of 120 images"):
        tuned_linear_accuracy(*sets, validation=0.0)


def test_blocks_of_test_images_change_nothing(monkeypatch):
    sets = problem()
    whole = knn_accuracy(*sets, 7, temperature=0.1)
    monkeypatch.setattr(probes_module, "AT_ONCE", 1000)
    assert torch.equal(knn_accuracy(*sets, 7, temperature=0.1), whole)


def test_the_weighted_vote_is_its_formula():
    train, labels, test, test_labels = problem(seeds=1, count=40)
    right = 0
    for x, label in zip(test[0], test_labels, strict=True):
        cosines = torch.cosine_similarity(x, train[0], dim=-1)
        votes = torch.zeros(3, dtype=torch.float64)
        for place in cosines.argsort(descending=True)[:9]:
            votes[labels[place]] += (cosines[place].double() / 0.2).exp()
        right += int(votes.argmax() == label)
    assert float(knn_accuracy(train, labels, test, test_labels, 9, temperature=0.2)) == right / 40
