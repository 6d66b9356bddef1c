"""Class clustering and neural collapse against loops, scikit-learn and exact cases."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestCentroid

from ssl_dynamics.measures import clustering, neural_collapse
from ssl_dynamics.measures.clustering import (
    cdnv,
    classes_of,
    directional_cdnv,
    ncc_accuracy,
    nearest_centres,
    over_pairs,
)


def cloud(seed, seeds=2, rows=90, width=7, classes=5, shift=2.0):
    """Features [S, N, d] around random centres, and labels [N] in random order."""
    g = torch.Generator().manual_seed(seed)
    labels = torch.arange(classes).repeat(rows // classes + 1)[:rows]
    labels = labels[torch.randperm(rows, generator=g)]
    centre = shift * torch.randn(seeds, classes, width, generator=g, dtype=torch.float64)
    noise = torch.randn(seeds, rows, width, generator=g, dtype=torch.float64)
    return centre[:, labels] + noise * torch.linspace(0.2, 2, width), labels


def by_loop(x, y, directional):
    """The mean CDNV over pairs of classes, one pair at a time, in NumPy."""
    found = []
    for c in range(y.max() + 1):
        for k in range(c):
            one, two = x[y == c], x[y == k]
            gap = one.mean(0) - two.mean(0)
            if directional:
                along = gap / np.linalg.norm(gap)
                spread = (one @ along).var() + (two @ along).var()
            else:
                spread = one.var(0).sum() + two.var(0).sum()
            found.append(spread / (2 * gap @ gap))
    return np.mean(found)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("directional", [False, True])
@pytest.mark.parametrize("block", [2**24, 40])
def test_cdnv_is_the_mean_over_pairs(seed, directional, block, monkeypatch):
    monkeypatch.setattr(clustering, "AT_ONCE", block)
    features, labels = cloud(seed)
    found = classes_of(features, labels)
    values = directional_cdnv(features, labels, found) if directional else cdnv(found)
    assert torch.isnan(values.diagonal(dim1=1, dim2=2)).all()
    expected = [by_loop(x.numpy(), labels.numpy(), directional) for x in features]
    np.testing.assert_allclose(over_pairs(values), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nearest_centres_are_those_of_scikit_learn(seed, dtype, monkeypatch):
    monkeypatch.setattr(clustering, "AT_ONCE", 60)
    features, labels = cloud(seed, shift=0.7)
    features = (features + 100).to(dtype)
    found = classes_of(features, labels)
    for x, guess in zip(features, nearest_centres(features, found.mean), strict=True):
        theirs = NearestCentroid().fit(x.double(), labels).predict(x.double())
        assert (guess.numpy() == theirs).all()
    share = ncc_accuracy(features, labels, found.mean)
    assert ((share > 0.3) & (share < 1)).all()  # neither trivial


def test_equally_near_centres_go_to_the_smaller_class():
    centres = torch.tensor([[[0.0, 1.0], [0.0, -1.0]]])
    assert nearest_centres(torch.tensor([[[3.0, 0.0]]]), centres).item() == 0


def test_cdnv_does_not_see_rotation_shift_or_scale_but_unit_length():
    features, labels = cloud(3)
    turn = torch.linalg.qr(torch.randn(7, 7, dtype=torch.float64)).Q
    before = over_pairs(cdnv(classes_of(features, labels)))
    after = over_pairs(cdnv(classes_of(3 * features @ turn + 5, labels)))
    np.testing.assert_allclose(after, before, rtol=1e-10)
    unit = torch.nn.functional.normalize(features, dim=-1)
    assert (over_pairs(cdnv(classes_of(unit, labels))) / before - 1).abs().max() > 0.05


def test_directional_cdnv_does_not_see_dimensions_without_classes():
    features, labels = cloud(4)
    noise = torch.randn(2, len(labels), 50, dtype=torch.float64)
    for c in range(5):  # no difference of means there
        noise[:, labels == c] -= noise[:, labels == c].mean(1, keepdim=True)
    wide = torch.cat([features, noise], -1)
    both = [
        (over_pairs(cdnv(found)), over_pairs(directional_cdnv(x, labels, found)))
        for x in (features, wide)
        for found in [classes_of(x, labels)]
    ]
    np.testing.assert_allclose(both[1][1], both[0][1], rtol=1e-10)
    assert (both[1][0] > 1.5 * both[0][0]).all()


def test_coinciding_means_are_infinitely_close():
    x = torch.tensor([[[1.0], [-1.0], [2.0], [-2.0]]])
    assert torch.isinf(over_pairs(cdnv(classes_of(x, torch.tensor([0, 0, 1, 1])))))


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (torch.zeros(1, 4, 2), torch.tensor([0, 2, 2, 0])),
        (torch.zeros(1, 4, 2), torch.tensor([0, 0, 0, 0])),
        (torch.zeros(1, 4, 2), torch.tensor([0, 1, 1])),
        (torch.zeros(4, 2), torch.tensor([0, 1, 1, 0])),
    ],
)
def test_bad_labels_and_shapes_are_refused(features, labels):
    with pytest.raises(ValueError, match=r"labels|features"):
        classes_of(features, labels)


def simplex(classes, width, inside=0.0, seed=0):
    """A simplex of class means in a random frame, rows with a variation inside the classes."""
    g = torch.Generator().manual_seed(seed)
    frame = torch.linalg.qr(torch.randn(width, classes, generator=g, dtype=torch.float64)).Q
    mean = (torch.eye(classes).double() - 1 / classes) @ frame.mT
    labels = torch.arange(classes).repeat(6)
    noise = torch.randn(len(labels), width, generator=g, dtype=torch.float64)
    return (mean[labels] + inside * noise + 3)[None], labels, mean[None]


def test_a_collapsed_simplex_has_four_zeros():
    features, labels, mean = simplex(5, 9)
    found = classes_of(features, labels)
    assert neural_collapse.within_over_between(features, labels).abs() < 1e-12
    assert neural_collapse.simplex_lengths(found).abs() < 1e-12
    assert neural_collapse.simplex_angles(found).abs() < 1e-12
    assert neural_collapse.classifier_distance(found, 2 * mean).abs() < 1e-12
    scores = (features - 3) @ mean.mT
    assert neural_collapse.classifier_disagreement(features, found, scores) == 0


@pytest.mark.parametrize("seed", range(8))
def test_neural_collapse_by_its_definitions(seed):
    features, labels, _ = simplex(4, 6, inside=0.4, seed=seed)
    found = classes_of(features, labels)
    x, y = features[0].numpy(), labels.numpy()
    means = np.stack([x[y == c].mean(0) for c in range(4)])
    within = sum(np.outer(r, r) for r in x - means[y]) / len(x)
    middle = means - means.mean(0)
    between = middle.T @ middle / 4
    expected = np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / 4
    got = neural_collapse.within_over_between(features, labels)
    np.testing.assert_allclose(got, expected, rtol=1e-8)
    length = np.linalg.norm(middle, axis=1)
    got = neural_collapse.simplex_lengths(found)
    np.testing.assert_allclose(got, length.std() / length.mean(), rtol=1e-12)
    angles = [
        abs(middle[a] @ middle[b] / length[a] / length[b] + 1 / 3)
        for a in range(4)
        for b in range(a)
    ]
    np.testing.assert_allclose(neural_collapse.simplex_angles(found), np.mean(angles), rtol=1e-10)
    weight = torch.randn(1, 4, 6, dtype=torch.float64)
    w = weight[0].numpy()
    gap = w / np.linalg.norm(w) - middle / np.linalg.norm(middle)
    got = neural_collapse.classifier_distance(found, weight)
    np.testing.assert_allclose(got, (gap**2).sum(), rtol=1e-12)
    scores = features @ weight.mT
    nearest = ((x[:, None] - means) ** 2).sum(-1).argmin(1)
    got = neural_collapse.classifier_disagreement(features, found, scores)
    assert got.item() == np.mean(nearest != scores[0].numpy().argmax(1))
