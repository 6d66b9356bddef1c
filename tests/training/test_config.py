"""Bad settings are refused before any work, with field, value and what is allowed."""

import re
from dataclasses import replace

import pytest

from ssl_dynamics.training import TowerConfig, train_towers
from ssl_dynamics.training.loop import checked_seeds

BAD = [
    ({"norm": "layer"}, "norm: unknown normalisation 'layer'; allowed: mu+sigma"),
    ({"encoder_norm": "x"}, "encoder_norm: unknown normalisation 'x'"),
    ({"predictor": "big"}, "predictor: got 'big'; allowed: none, linear, mlp"),
    ({"loss": "hinge"}, "loss: got 'hinge'; allowed: byol"),
    ({"dtype": "int8"}, "dtype: got 'int8'; allowed: float32"),
    ({"encoder": ()}, "encoder: got (); allowed: at least one width"),
    ({"projector": (0,)}, "projector: got (0,); allowed: widths of at least 1"),
    ({"steps": -1}, "steps: got -1; allowed: an integer of at least 0"),
    ({"batch": 1}, "batch: got 1; allowed: an integer of at least 2"),
    ({"lr": float("nan")}, "lr: got nan; allowed: a finite number of at least 0"),
    ({"lr": -0.1}, "lr: got -0.1; allowed: a finite number of at least 0"),
    ({"momentum": 1.0}, "momentum: got 1.0; allowed: a number in [0, 1)"),
    ({"ema": 1.5}, "ema: got 1.5; allowed: None or a number in [0, 1]"),
    ({"stop_gradient": False}, "stop_gradient: got False; allowed: True"),
    ({"ema": None, "target_start": "independent"}, "target_start: 'independent' needs an EMA"),
    ({"predictor_scale": 0.1}, "predictor_scale: needs predictor 'linear', not 'mlp'"),
    ({"eval_at": (0, 5000)}, "eval_at: got (0, 5000); allowed: increasing steps in 0..2000"),
    ({"eval_at": (5, 5)}, "eval_at: got (5, 5); allowed: increasing steps"),
    ({"probe_at": (3,)}, "probe_at: got (3,); allowed: steps of eval_at; [3] are not"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[next(iter(o)) for o, _ in BAD])
def test_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        TowerConfig(**options)


@pytest.mark.parametrize("seeds", [0, -3, [], [1, 1], [-1]])
def test_bad_seeds(seeds):
    with pytest.raises(ValueError, match=re.escape(f"seeds: got {seeds!r}; allowed")):
        checked_seeds(seeds)


def test_unknown_gpu_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ValueError, match="none is visible; use 'cpu'"):
        train_towers(TowerConfig(steps=0), 1, device="cuda")


def test_fingerprint_depends_on_every_setting():
    base = TowerConfig()
    assert base.fingerprint() == TowerConfig().fingerprint()
    others = [replace(base, lr=0.1), replace(base, norm="mu"), replace(base, eval_at=(0,))]
    assert len({c.fingerprint() for c in (base, *others)}) == 4


def test_default_evaluation_is_start_and_end():
    assert TowerConfig(steps=10).eval_steps == (0, 10)
    assert TowerConfig(steps=0).eval_steps == (0,)
    assert TowerConfig(steps=10, eval_at=(2, 4), probe_at=(4,)).probe_steps == (4,)


@pytest.mark.parametrize("device", ["tpu", "cuda:first", ""])
def test_an_unknown_device_is_refused_with_what_is_allowed(device):
    with pytest.raises(ValueError, match=r"device: got .*; allowed: auto, cpu, cuda"):
        train_towers(TowerConfig(steps=0), 1, device=device)
