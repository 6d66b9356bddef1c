"""Two processes train as one: loss, gradients, BatchNorm buffers, and whole curves."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ssl_dynamics.training.images import ImageConfig, pretrain, run_images
from ssl_dynamics.training.images.distributed import SyncedBatchNorm

BASE = {
    "dataset": "digits", "encoder": "tiny", "epochs": 2, "batch": 32, "images": 96, "bank": 64,
    "test": 65, "neighbours": 5, "probe": "never", "options": ("projector=[16,8]",),
}  # fmt: skip
CASES = {
    "simclr": {},
    "byol": {},
    "byol-sigma": {"method": "byol", "options": ("projector=[16,8]", "head_norm=sigma")},
    "vicreg": {},
    "barlow_twins": {},
    "directpred": {"optimiser": "sgd"},
    "supervised": {},
}
PROGRAM = f"""
import os, socket, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_image_distributed import CASES, everything, settings
from ssl_dynamics.training.shard import process_group
import numpy as np

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
child = os.fork()  # one import for two processes
rank = "0" if child else "1"
os.environ |= {{"RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}}
os.environ["MASTER_PORT"] = str(port)
with process_group():
    for case in CASES:
        np.savez(f"{{sys.argv[1]}}/{{case}}-{{rank}}.npz", **everything(settings(case)))
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def settings(case):
    return ImageConfig(**{**BASE, "method": case, **CASES[case]})


def everything(config):
    """Loss, gradients and buffers of one step in float64, then a whole run in float32."""
    from ssl_dynamics.training.images import ImageRun, distributed

    images = run_images(config)
    run = ImageRun(config, 1, images)
    run.method.double().train()
    one, two, labels = run.views(0)
    loss, _ = run.loss(one.double(), two.double(), labels)
    loss.backward()
    distributed.average_gradients(run.method.parameters())
    found = {"loss": distributed.mean_over_processes(loss.detach()).numpy()}
    for name, w in run.method.named_parameters():
        if w.grad is not None:
            found[f"gradient/{name}"] = w.grad.numpy()
    for name, value in run.method.named_buffers():
        found[f"buffer/{name}"] = value.numpy()
    curves = pretrain(config, 1, images)
    return found | {f"curve/{k}": v for k, v in curves.items() if k != "images_per_s"}


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """Folder with what each of two processes found."""
    folder = tmp_path_factory.mktemp("two")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("case", CASES)
def test_two_processes_are_one(two_processes, case):
    expected = everything(settings(case))
    for rank in range(2):
        found = np.load(two_processes / f"{case}-{rank}.npz")
        assert set(found) == set(expected)
        for name, values in expected.items():
            tolerance = 5e-3 if name.startswith("curve") else 1e-9  # float32 curves drift apart
            size = max(1.0, float(np.abs(values).max()))
            np.testing.assert_allclose(
                found[name], values, rtol=0, atol=tolerance * size, err_msg=f"{rank}: {name}"
            )


def test_alone_the_synced_norm_is_torchs(monkeypatch):
    monkeypatch.setattr("torch.distributed.all_reduce", lambda x: None)
    torch.manual_seed(0)
    for kind, shape in ((nn.BatchNorm1d, (6, 4)), (nn.BatchNorm2d, (5, 4, 3, 2))):
        theirs, ours = kind(4).double(), SyncedBatchNorm(4).double()
        x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        y = x.detach().clone().requires_grad_()
        for norm, data in ((theirs, x), (ours, y)):
            norm(data).sin().sum().backward()
        torch.testing.assert_close(x.grad, y.grad, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(theirs.weight.grad, ours.weight.grad, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(theirs.state_dict(), ours.state_dict(), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(theirs.eval()(x), ours.eval()(y))
    with pytest.raises(ValueError, match=r"allowed: \[B, d\] or \[B, C, H, W\]"):
        SyncedBatchNorm(4)(torch.zeros(2, 4, 3))


def test_a_batch_that_does_not_come_out_even_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    from ssl_dynamics.training.images.distributed import part

    with pytest.raises(ValueError, match="batch: got 32 for 3 processes; allowed: a multiple of 3"):
        part(32)
