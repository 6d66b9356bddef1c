"""Targets of graded randomness: what they are, what a probe scores, and shares by hand."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import random_targets

SMALL = random_targets.Config(seeds=2, steps=4, eval_at=(0, 4), late=4, stages=(0, 3), batch=16)


@pytest.fixture(scope="module")
def record():
    return random_targets.run(SMALL, progress=False)


def test_labels_agree_with_themselves_and_dealt_ones_keep_their_sizes(record):
    assert (record["agree/labels"] == 1).all()
    assert (record["agree/dealt"] < 0.2).all()
    np.testing.assert_allclose(record["majority/labels"], record["majority/dealt"], atol=0.03)
    assert (record["classes/balanced/0"] == 10).all()
    assert (record["majority/balanced/0"] < record["majority/raw/0"]).all()


def test_what_is_computed_from_the_rest(record):
    score = record["features/labels/score"]
    constant = record["majority/labels"][:, None]
    over = (record["features/labels/accuracy"] - constant) / (1 - constant)
    np.testing.assert_allclose(score, over, atol=1e-6)
    np.testing.assert_allclose(
        record["gain/whole/features/labels/score"], score[:, 1] - score[:, 0]
    )
    depth = record["outputs/labels/score"] - record["layer1/labels/score"]
    np.testing.assert_allclose(record["depth/labels/score"], depth)
    parts = record["ratio/features/variance"] / record["ratio/features/distance"]
    np.testing.assert_allclose(parts, record["ratio/features/cdnv"], rtol=1e-5)
    assert (record["log/late/features/cdnv"] == 0).all()
    assert record["logistic/labels"].shape == (2, 2)
    assert "features/raw/0/score" not in record.metrics


def test_clusters_by_hand():
    features = torch.randn(2, 12, 3, dtype=torch.float64)
    labels = torch.tensor([[0, 0, 0, 2, 2, 2, 2, 2, 5, 5, 5, 5]] * 2)
    found = random_targets.clusters(features, labels)
    for seed in range(2):
        x, total = features[seed].numpy(), 0.0
        within, pairs, weight = 0.0, 0.0, 0.0
        groups = [x[labels[seed].numpy() == c] for c in (0, 2, 5)]
        total = ((x - x.mean(0)) ** 2).sum() / 12
        within = sum(((g - g.mean(0)) ** 2).sum() for g in groups) / 12
        for a in range(3):
            for b in range(a):
                w = len(groups[a]) * len(groups[b])
                weight += w
                pairs += w * ((groups[a].mean(0) - groups[b].mean(0)) ** 2).sum()
        np.testing.assert_allclose(found["variance"][seed], within)
        np.testing.assert_allclose(found["distance"][seed], pairs / weight)
        np.testing.assert_allclose(found["share"][seed], 1 - within / total)


def test_the_ridge_is_least_squares_with_a_constant():
    train, test = torch.randn(1, 40, 3), torch.randn(1, 9, 3)
    wanted = torch.randn(1, 40, 2)
    said = random_targets.ridge(train, wanted, test, 0.0)[0].numpy()
    design = np.column_stack([train[0], np.ones(40)]).astype(float)
    weight = np.linalg.lstsq(design, wanted[0].double().numpy(), rcond=None)[0]
    np.testing.assert_allclose(said, np.column_stack([test[0], np.ones(9)]) @ weight, atol=1e-5)


def test_judged_counts_classes_alike():
    asked = torch.tensor([[0, 0, 0, 1]])
    found = random_targets.judged(torch.zeros_like(asked), asked)
    assert (found["accuracy"].item(), found["recall"].item()) == (0.75, 0.5)


def test_a_seed_is_the_same_alone_and_in_company(record):
    alone = random_targets.run(
        random_targets.Config(**{**record.config, "seeds": 1, "first_seed": 1}), progress=False
    )
    for name in ("features/labels/score", "agree/balanced/3", "ratio/outputs/distance"):
        np.testing.assert_allclose(alone[name][0], record[name][1], rtol=2e-3, atol=5e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"stages": (3,)}, "stages"), ({"eval_at": (0, 9999)}, "eval_at"), ({"lr": 0}, "lr")],
)
def test_bad_settings_are_named(change, said):
    with pytest.raises(ValueError, match=said):
        random_targets.Config(**change)
