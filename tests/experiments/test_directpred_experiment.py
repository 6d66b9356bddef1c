"""The experiment behind the DirectPred chapter: its predictors, its flows, and bad settings."""

import numpy as np
import pytest
import torch

from ssl_dynamics.experiments import directpred
from ssl_dynamics.theory.directpred import ALIGNMENT_RATE

SMALL = {"seeds": 2, "steps": 6, "evaluations": 1, "batch": 16, "width": 8, "outputs": 4,
         "device": "cpu"}  # fmt: skip


def test_the_predictor_read_off_has_the_roots_of_the_correlation():
    """Eigenvalues (√(s / max s) + boost) on the same eigenvectors, by NumPy."""
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(3, 5, 7))
    correlation = roots @ roots.transpose(0, 2, 1)
    predictor = directpred.read_off(torch.from_numpy(correlation), 0.1).numpy()
    for F, W_p in zip(correlation, predictor, strict=True):
        np.testing.assert_allclose(W_p, W_p.T, atol=1e-12)
        np.testing.assert_allclose(W_p @ F, F @ W_p, atol=1e-10)
        shift = W_p - 0.1 * np.eye(5)
        np.testing.assert_allclose(shift @ shift, F / np.linalg.eigvalsh(F)[-1], atol=1e-10)


def test_a_dead_network_gets_a_finite_predictor():
    assert torch.isfinite(directpred.read_off(torch.zeros(1, 3, 3), 0.1)).all()


def test_directpred_is_set_before_the_step_that_uses_it_and_is_not_trained():
    """The weight after a step is the one read off the outputs that went into this step."""
    config = directpred.Config(**SMALL)
    rule = directpred.Rule(config, "directpred", "online")
    for number in range(2):
        views = rule.run.sampler.at(rule.run.now)
        with torch.no_grad():
            z = rule.run.towers.online(views).flatten(1, -2)
        now = z.mT @ z / z.shape[1]
        average = now if number == 0 else 0.3 * average + 0.7 * now  # noqa: F821
        rule.step()
        wanted = directpred.read_off(average, config.boost)
        torch.testing.assert_close(
            rule.run.towers.predictor[0].weight.detach(), wanted, rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize("target", directpred.TARGETS)
def test_the_best_predictor_solves_least_squares_and_is_not_trained(target):
    """After one step it is NumPy's answer on the outputs of that step (up to the ridge)."""
    rule = directpred.Rule(directpred.Config(**SMALL), "best", target)
    views = rule.run.sampler.at(0)
    with torch.no_grad():
        towers = rule.run.towers
        z = towers.online(views)
        t = (z if towers.target is None else towers.target(views)).flip(1)
    rule.step()
    for seed in range(2):
        one, two = (m[seed].reshape(-1, m.shape[-1]).double().numpy() for m in (z, t))
        ridge = directpred.RIDGE * np.linalg.eigvalsh(one.T @ one)[-1]
        rows = np.concatenate([one, ridge**0.5 * np.eye(one.shape[1])])
        wanted = np.linalg.lstsq(rows, np.concatenate([two, np.zeros_like(rows[len(one):])]),
                                 rcond=None)[0].T  # fmt: skip
        weight = rule.run.towers.predictor[0].weight[seed].detach().numpy()
        np.testing.assert_allclose(weight, wanted, rtol=1e-3, atol=1e-3)


def test_measuring_does_not_move_directpred():
    rule = directpred.Rule(directpred.Config(**SMALL), "directpred", "ema")
    rule.step()
    before = rule.correlation.clone()
    rule.run.metrics(probe=False, measures={"alignment": directpred.alignment})
    torch.testing.assert_close(rule.correlation, before, rtol=0, atol=0)


def test_the_symmetric_rule_stays_symmetric_and_the_linear_one_does_not():
    for name, symmetric in (("symmetric", True), ("linear", False)):
        rule = directpred.Rule(directpred.Config(**SMALL), name, "online")
        for _ in range(3):
            rule.step()
        weight = rule.run.towers.predictor[0].weight
        assert torch.equal(weight, weight.mT) == symmetric
        assert rule.run.towers.predictor[0].bias is None


def test_all_rules_start_from_the_same_encoder():
    starts = []
    for name in directpred.RULES:
        rule = directpred.Rule(directpred.Config(**SMALL), name, "online")
        starts.append(rule.run.towers.online.encoder[0].weight.detach())
    assert all(torch.equal(starts[0], other) for other in starts[1:])


def test_alignment_is_one_for_a_shared_basis_and_less_for_another():
    rule = directpred.Rule(directpred.Config(**SMALL), "directpred", "online")
    towers, data = rule.run.towers, rule.run.data
    images = data.train.expand(2, -1, -1)
    with torch.no_grad(), directpred.population_statistics(towers.online, images):
        z = towers.online(images)
    F = z.mT @ z / z.shape[1]
    with torch.no_grad():
        towers.predictor[0].weight.copy_(directpred.read_off(F, 0.1))
    assert torch.allclose(directpred.alignment(towers, data), torch.ones(2), atol=1e-4)
    with torch.no_grad():
        towers.predictor[0].weight.copy_(towers.predictor[0].weight.flip(1))
    assert (directpred.alignment(towers, data) < 0.9).all()


def test_the_commutator_falls_at_the_rate_of_theory():
    """Two nearly aligned modes at rest: the fall of [F, W_p] over a short time."""
    p, s, tau, sigma = np.array([0.3, 0.5]), np.array([0.09, 0.25]), 1.0, 0.3**0.5
    F = np.diag(s) + 1e-6 * np.array([[0, 1], [1, 0]])
    state = np.stack([np.diag(p), np.linalg.cholesky(F), np.zeros((2, 2))])
    X, X_prime = np.eye(2), 0.3 * np.eye(2)

    def entry(state):
        F = state[1] @ state[1].T
        return (F @ state[0] - state[0] @ F)[0, 1]

    after = directpred.runge_kutta(state, 1e-4, X, X_prime, "assumed")
    slope = (np.log(abs(entry(after))) - np.log(abs(entry(state)))) / 1e-4
    rates = ALIGNMENT_RATE.numpy(p, s, tau, sigma, 1.0, 0.02)
    assert slope == pytest.approx(-rates.sum(), rel=1e-3)


def test_seeds_do_not_know_of_each_other():
    alone = directpred.Config(**{**SMALL, "seeds": 1, "first_seed": 1})
    beside = directpred.Config(**SMALL)
    for kind in directpred.FLOWS:
        flows = [directpred.flow(c, kind, points=2) for c in (alone, beside)]
        np.testing.assert_allclose(flows[0][0], flows[1][1], rtol=1e-12)
    losses = [directpred.train(c, "directpred", "ema", progress=False)["loss"]
              for c in (alone, beside)]  # fmt: skip
    np.testing.assert_allclose(losses[0][0], losses[1][1], rtol=1e-4)


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("batch", 1), ("first_seed", -1), ("steps", 7), ("rules", ("none",)),
     ("targets", ("none",)), ("rho", 1.0), ("lr", float("nan")), ("boost", -0.1),
     ("evaluations", 0)],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}: got"):
        directpred.Config(**{field: value})
