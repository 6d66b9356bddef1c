"""Probes against scikit-learn on the digits, and their behaviour at the edges."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from ssl_dynamics.data import digits
from ssl_dynamics.measures import knn_accuracy, linear_accuracy, logistic_regression
from ssl_dynamics.networks import mlp


@pytest.fixture(scope="module")
def features():
    """Random features of two seeds: train [2, N, 32], test."""
    data = digits()
    net = mlp((0, 1), (64, 48, 32), purpose="probe", output_relu=True, dtype=torch.float64)
    with torch.no_grad():
        train, test = (net(x.expand(2, -1, -1)) for x in (data.train, data.test))
    return train, data.train_labels, test, data.test_labels


@pytest.mark.parametrize("k", [1, 5, 20])
def test_knn_is_scikit_learns(features, k):
    train, train_labels, test, test_labels = features
    found = knn_accuracy(*features, k=k)
    for s in range(2):
        reference = KNeighborsClassifier(k, metric="cosine", algorithm="brute")
        reference.fit(train[s].numpy(), train_labels.numpy())
        expected = reference.score(test[s].numpy(), test_labels.numpy())
        assert found[s].item() == pytest.approx(expected, abs=1e-12)


def test_linear_probe_is_scikit_learns(features):
    train, train_labels, test, test_labels = features
    penalty = 1e-2
    found = linear_accuracy(*features, penalty=penalty)
    for s in range(2):
        scaler = StandardScaler().fit(train[s].numpy())
        reference = LogisticRegression(C=1 / (penalty * len(train_labels)), tol=1e-8, max_iter=5000)
        reference.fit(scaler.transform(train[s].numpy()), train_labels.numpy())
        expected = reference.score(scaler.transform(test[s].numpy()), test_labels.numpy())
        assert found[s].item() == pytest.approx(expected, abs=1 / len(test_labels) + 1e-12)


def test_logistic_regression_reaches_scikit_learns_minimum(features):
    train, labels, _, _ = features
    x = (train - train.mean(1, keepdim=True)) / train.std(1, keepdim=True).clamp_min(1e-9)
    weight, bias = logistic_regression(x, labels, penalty=1e-2, steps=400)

    def objective(s, w, b):
        fit = torch.nn.functional.cross_entropy(x[s] @ w.mT + b, labels)
        return (fit + 1e-2 / 2 * w.square().sum()).item()

    for s in range(2):
        reference = LogisticRegression(C=1 / (1e-2 * len(labels)), tol=1e-10, max_iter=10000)
        reference.fit(x[s].numpy(), labels.numpy())
        theirs = torch.from_numpy(reference.coef_), torch.from_numpy(reference.intercept_)
        assert objective(s, weight[s], bias[s]) <= objective(s, *theirs) + 1e-6
        torch.testing.assert_close(weight[s], theirs[0], rtol=0, atol=5e-3)


def test_labels_in_a_coordinate_are_read_and_noise_is_not():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 4
    noise = torch.randn(1, 400, 6, generator=generator)
    told = noise.clone()
    told[0, :, :4] += 8 * torch.nn.functional.one_hot(labels)
    halves = [(x[:, :200], labels[:200], x[:, 200:], labels[200:]) for x in (told, noise)]
    for probe in (knn_accuracy, linear_accuracy):
        assert probe(*halves[0]).item() == 1
        assert probe(*halves[1]).item() < 0.4


def test_constant_and_diverged_features(features):
    train, train_labels, test, test_labels = (x.clone() for x in features)
    train[0], test[0] = 1.0, 1.0
    train[1, 0, 0] = torch.nan
    for probe in (knn_accuracy, linear_accuracy):
        constant, diverged = probe(train, train_labels, test, test_labels)
        assert constant < 0.15
        assert diverged.isnan()
