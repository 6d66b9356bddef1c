"""Latent trees: the law that is drawn is the law that is enumerated, and inference is exact."""

import numpy as np
import pytest
import torch

from ssl_dynamics.data.latent_tree import (
    GRAIN,
    LatentTree,
    random_tree,
)
from ssl_dynamics.data.latent_tree_draws import TreeSampler, sample
from ssl_dynamics.data.latent_tree_exact import enumerated, posteriors

TREES = {
    "binary": random_tree(3, (2, 2), (0.3, 1.0)),
    "lopsided": random_tree(4, (3, 2), (0.2, 0.9), symmetric=False, root=0.3),
    "chain": random_tree(5, (1, 1, 3), (0.5, 0.9), symmetric=False, root=0.6),
    "deep": random_tree(6, (2, 2, 2), (0.7, 1.0)),
}


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_the_joint_law_sums_to_one_and_has_the_priors_of_the_tree(tree):
    values, weight = enumerated(tree)
    assert weight.sum() == pytest.approx(1, abs=1e-12)
    for depth, z in enumerate(values):
        np.testing.assert_allclose(z @ weight, tree.prior(depth), atol=1e-12)


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_polarities_multiply_along_paths(tree):
    (values, one), (_, zero) = (enumerated(tree, given_root=z) for z in (1, 0))
    for depth, z in enumerate(values):
        np.testing.assert_allclose(z @ one - z @ zero, tree.root_polarity(depth), atol=1e-12)


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_the_posterior_by_messages_is_the_one_by_enumeration(tree):
    values, weight = enumerated(tree)
    found = posteriors(tree, values[-1])
    for depth in range(tree.depth):
        share = tree.sizes[-1] // tree.sizes[depth]
        for node in range(tree.sizes[depth]):
            seen = values[-1][node * share : (node + 1) * share]
            key = 2 ** np.arange(share) @ seen
            total, on = (
                np.bincount(key.astype(int), weights=w)
                for w in (weight, weight * values[depth][node])
            )
            expected = (on / total)[key.astype(int)]
            np.testing.assert_allclose(found[depth][node], expected, atol=1e-12)


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_draws_have_the_law_of_the_tree(tree):
    count = 40_000
    drawn = np.concatenate(sample(tree, 0, count)).astype(float)
    values, weight = enumerated(tree)
    joint = np.concatenate(values)
    expected = (joint * weight) @ joint.T  # second moments
    error = np.abs(drawn @ drawn.T / count - expected).max()
    assert error < 5 / np.sqrt(count)


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_the_positive_shares_the_root_alone(tree):
    sampler = TreeSampler([tree], [1], 5000)
    steps = [sampler.values_at(step) for step in range(8)]
    joined = [
        torch.cat([v[d][0].unflatten(1, (3, -1)) for v in steps], 2) for d in range(tree.depth + 1)
    ]
    anchor, positive, negative = ([z[:, k] for z in joined] for k in range(3))
    assert torch.equal(anchor[0], positive[0])
    agree = (anchor[0] == negative[0]).double().mean()
    assert abs(agree - (tree.root**2 + (1 - tree.root) ** 2)) < 0.015
    for tower in (anchor, positive, negative):
        for depth, z in enumerate(tower):
            assert (z.double().mean(1) - torch.from_numpy(tree.prior(depth))).abs().max() < 0.015
    z, one, two = (t.double() for t in (anchor[0][0], anchor[1][0], positive[1][0]))
    for given in (0, 1):  # conditionally independent given the root
        pair = torch.stack([one[z == given], two[z == given]])
        assert abs(torch.cov(pair, correction=0)[0, 1]) < 0.015


def test_a_seed_sees_the_same_values_alone_and_in_company():
    trees = [random_tree(s, (2, 2, 2)) for s in range(4)]
    company = TreeSampler(trees, range(4), 10)
    alone = TreeSampler(trees[2:3], [2], 10)
    for step in (0, 1, 5):
        assert torch.equal(company.at(step)[2], alone.at(step)[0])
    assert company.at(0).shape == (4, 8, 30)
    assert not torch.equal(company.at(0), company.at(1))


def test_probabilities_stay_on_the_grid_of_the_draws():
    tree = random_tree(0, (2, 2), (1.0, 1.0))
    for p in (*tree.zero, *tree.one):
        assert ((p * GRAIN) % 1 == 0).all()
        assert (p > 0).all()
        assert (p < 1).all()


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("branching", lambda: random_tree(0, (2, 0))),
        ("polarity", lambda: random_tree(0, (2,), (0.9, 0.2))),
        ("root", lambda: random_tree(0, (2,), root=1.0)),
        ("zero", lambda: LatentTree((2,), 0.5, (np.zeros(3),), (np.ones(2),))),
        ("probabilities", lambda: LatentTree((2,), 0.5, (np.zeros(2),), (np.full(2, 1.2),))),
        ("trees", lambda: TreeSampler([random_tree(0, (2,))], [0, 1], 4)),
    ],
)
def test_bad_trees_are_refused_by_name(field, make):
    with pytest.raises(ValueError, match=f"{field}: got .*"):
        make()


def test_large_trees_are_not_enumerated():
    with pytest.raises(ValueError, match="31 nodes"):
        enumerated(random_tree(0, (2, 2, 2, 2)))
