"""One seed alone and in company, the nine variants, and two towers against a plain torch loop."""

import numpy as np
import pytest
import torch
from torch import nn

from ssl_dynamics.data import PairSampler, digits
from ssl_dynamics.networks import VARIANTS
from ssl_dynamics.training import Run, TowerConfig, train_towers

SMALL = {"encoder": (24, 16), "projector": (20, 12), "predictor_width": 20, "batch": 16}


def weights(run):
    return torch.cat([w[-1].flatten() for w in run.towers.state_dict().values()])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"predictor": "linear", "predictor_scale": 0.5, "noise": 0.1},
        {"ema": None, "loss": "cosine", "encoder_norm": "mu+sigma"},
        {"ema": None, "stop_gradient": False, "loss": "info_nce", "predictor": "none"},
        {"target_start": "independent", "loss": "squared", "norm": "none", "lr": 0.01},
    ],
)
def test_a_seed_alone_walks_as_in_company(options):
    """Start and data bit-equal; after 10 steps 1e-12 (float64) and 1e-5 (float32) relative."""
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
        config = TowerConfig(**SMALL, **options, dtype=dtype)
        alone, together = Run(config, (7,)), Run(config, (2, 5, 3, 7))
        assert torch.equal(weights(alone), weights(together))
        assert torch.equal(alone.sampler.at(0)[0], together.sampler.at(0)[3])
        for _ in range(10):
            alone.step()
            together.step()
        a, b = weights(alone), weights(together)
        assert (a - b).norm() <= tolerance * a.norm()


@pytest.mark.parametrize("norm", VARIANTS)
def test_every_norm_trains(norm):
    result = train_towers(
        TowerConfig(**SMALL, norm=norm, steps=3, probe_at=()), 2, device="cpu", progress=False
    )
    assert all(np.isfinite(values).all() for values in result.values())


class Plain(nn.Module):
    """BYOL's towers for one seed in ordinary torch, weights taken from seed `s` of ours."""

    def __init__(self, towers, s):
        super().__init__()
        self.online, self.target = (self.tower(t, s) for t in (towers.online, towers.target))
        self.predictor = self.head(towers.predictor, s)

    @staticmethod
    def linear(layer, s):
        outputs, inputs = layer.weight[s].shape
        plain = nn.Linear(inputs, outputs, dtype=layer.weight.dtype)
        with torch.no_grad():
            plain.weight.copy_(layer.weight[s])
            plain.bias.copy_(layer.bias[s])
        return plain

    def head(self, ours, s):
        first, last = self.linear(ours[0], s), self.linear(ours[-1], s)
        norm = nn.BatchNorm1d(first.out_features, affine=False, dtype=first.weight.dtype)
        return nn.Sequential(first, norm, nn.ReLU(), last)

    def tower(self, ours, s):
        encoder = [self.linear(layer, s) for layer in ours.encoder if hasattr(layer, "weight")]
        relus = [part for layer in encoder for part in (layer, nn.ReLU())]
        return nn.Sequential(*relus, self.head(ours.projector, s))


def test_byol_is_the_plain_torch_loop():
    config = TowerConfig(**SMALL, dtype="float64", ema=0.9, lr=0.05, weight_decay=1e-3)
    run = Run(config, (4, 9))
    plain = Plain(run.towers, 1)
    learned = [*plain.online.parameters(), *plain.predictor.parameters()]
    optimiser = torch.optim.SGD(learned, lr=0.05, momentum=0.9, weight_decay=1e-3)
    sampler = PairSampler(digits().to("cpu", torch.float64), (9,), config.batch)

    def cosines(p, z):
        return nn.functional.cosine_similarity(p, z, dim=-1).mean()

    for step in range(5):
        one, two = sampler.at(step)[0]
        with torch.no_grad():
            t1, t2 = plain.target(one), plain.target(two)
        p1, p2 = (plain.predictor(plain.online(x)) for x in (one, two))
        loss = -2 * cosines(p1, t2) - 2 * cosines(p2, t1)
        assert run.loss()[1].item() == pytest.approx(loss.item(), rel=1e-12)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            pairs = zip(plain.target.parameters(), plain.online.parameters(), strict=True)
            for t, o in pairs:
                t.copy_(0.9 * t + 0.1 * o)
        run.step()
    for name in ("online", "target"):
        ours = getattr(run.towers, name).encoder[0].weight[1]
        torch.testing.assert_close(ours, getattr(plain, name)[0].weight, rtol=1e-11, atol=1e-12)


def test_what_the_target_is():
    """No EMA: the online tower, with or without gradient; mean view: the exact mean."""
    options = {**SMALL, "dtype": "float64", "ema": None, "predictor": "none", "loss": "squared"}
    gradients = {}
    for stop in (True, False):
        run = Run(TowerConfig(**options, stop_gradient=stop), (0,))
        assert run.towers.target is None
        run.loss().sum().backward()
        gradients[stop] = run.towers.online.encoder[0].weight.grad.clone()
    torch.testing.assert_close(gradients[False], 2 * gradients[True])

    run = Run(TowerConfig(**options, target_view="mean", symmetric=False), (0, 1))
    z = run.towers.online(run.sampler.at(0)[:, 0])
    t = run.towers.online(run.sampler.mean_at(0))
    torch.testing.assert_close(run.loss(), (z - t).square().sum(-1).mean(-1) / 2)


def test_target_start_and_frozen_predictor():
    for start, same in (("copy", True), ("independent", False)):
        towers = Run(TowerConfig(**SMALL, target_start=start), (0,)).towers
        online, target = towers.online.encoder[0].weight, towers.target.encoder[0].weight
        assert torch.equal(online, target) is same
    run = Run(TowerConfig(**SMALL, predictor_lr=0.0), (0,))
    before = run.towers.predictor[0].weight.clone()
    encoder = run.towers.online.encoder[0].weight.clone()
    run.step()
    assert torch.equal(run.towers.predictor[0].weight, before)
    assert not torch.equal(run.towers.online.encoder[0].weight, encoder)


def test_metrics_have_seeds_and_steps_and_a_diverged_seed_is_nan():
    config = TowerConfig(**SMALL, steps=6, eval_at=(0, 2, 6), probe_at=(6,))

    def size(towers, data):
        return towers.online.encoder[0].weight.square().sum((1, 2))

    result = train_towers(config, [3, 1], device="cpu", progress=False, measures={"size": size})
    assert {k: v.shape for k, v in result.items()} == {
        **dict.fromkeys(("loss", "spread", "output_std", "rank", "feature_rank", "size"), (2, 3)),
        **dict.fromkeys(("knn", "linear"), (2, 1)),
    }
    wild = TowerConfig(**SMALL, steps=30, norm="none", loss="squared", lr=1e3)
    result = train_towers(wild, 2, device="cpu", progress=False)
    for name in ("spread", "rank", "knn", "linear"):
        assert np.isfinite(result[name][:, 0]).all()
        assert np.isnan(result[name][:, 1]).all()


def test_collapse_without_stop_gradient_and_none_with_it():
    """The reason for the whole book, in 150 steps."""
    common = {"steps": 150, "ema": None, "loss": "cosine", "lr": 0.1, "probe_at": (), "batch": 32}
    with_it = train_towers(TowerConfig(**common), 2, device="cpu", progress=False)
    without = train_towers(
        TowerConfig(**common, stop_gradient=False), 2, device="cpu", progress=False
    )
    assert with_it["spread"][:, -1].min() > 0.5
    assert without["spread"][:, -1].max() < 0.15
    assert without["loss"][:, -1].max() < -0.99
