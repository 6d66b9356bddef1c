"""Checkpoints: resume bit for bit, survive damage, full disks and Ctrl-C."""

import os
import signal

import numpy as np
import pytest
import torch

from ssl_dynamics.training import CheckpointError, Run, TowerConfig, checkpoint, train_towers
from ssl_dynamics.training.interrupt import Interrupt
from ssl_dynamics.training.loop import checkpoint_name

CONFIG = TowerConfig(
    encoder=(12, 8),
    projector=(8, 6),
    predictor_width=8,
    batch=8,
    steps=40,
    eval_at=(0, 15, 40),
    probe_at=(40,),
)
SEEDS = (2, 5)


def train(folder=None, config=CONFIG, measures=None):
    return train_towers(
        config, SEEDS, device="cpu", progress=False, checkpoint_dir=folder, measures=measures
    )


def path_in(folder, measures=None):
    return folder / checkpoint_name(CONFIG, SEEDS, measures)


class StopAt:
    """A measure that presses Ctrl-C at the evaluation of that number."""

    def __init__(self, evaluation, signals=()):
        self.left, self.signals = evaluation, signals

    def __call__(self, towers, data):
        if self.left == 0:
            for number in self.signals:
                os.kill(os.getpid(), number)
        self.left -= 1
        return torch.zeros(len(SEEDS))


def test_a_later_second_ctrl_c_interrupts_at_once(monkeypatch):
    monkeypatch.setattr("ssl_dynamics.training.interrupt.ONE_REQUEST", -1.0)
    before = signal.getsignal(signal.SIGINT)
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    "signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT]]
)
def test_ctrl_c_leaves_a_checkpoint_and_the_run_goes_on_bit_for_bit(tmp_path, signals):
    """Twice at once is once: torchrun repeats what the terminal has sent."""
    expected = train(measures={"stop": StopAt(-1)})
    with pytest.raises(KeyboardInterrupt, match="goes on from"):
        train(tmp_path, measures={"stop": StopAt(1, signals)})
    saved = checkpoint.load(path_in(tmp_path, {"stop": None}), CONFIG.fingerprint())
    assert saved["now"] == 15
    found = train(tmp_path, measures={"stop": StopAt(-1)})
    for name, values in expected.items():
        assert np.array_equal(values, found[name]), name


def test_weights_and_velocities_come_back_bit_for_bit(tmp_path):
    whole = Run(CONFIG, SEEDS)
    for _ in range(20):
        whole.step()
    half = Run(CONFIG, SEEDS)
    for _ in range(9):
        half.step()
    checkpoint.save(tmp_path / "x", half.state() | {"fingerprint": "f"})
    resumed = Run(CONFIG, SEEDS)
    resumed.restore(checkpoint.load(tmp_path / "x", "f"))
    for _ in range(11):
        resumed.step()
    for a, b in zip(
        whole.towers.state_dict().values(), resumed.towers.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)


def test_a_finished_run_returns_at_once_and_keeps_only_metrics(tmp_path, monkeypatch):
    expected = train(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [path_in(tmp_path).name]
    assert path_in(tmp_path).stat().st_size < 20_000
    monkeypatch.setattr("ssl_dynamics.training.loop.Run", None)
    found = train(tmp_path)
    for name, values in expected.items():
        assert np.array_equal(values, found[name])


def state(now):
    return {"fingerprint": "f", "now": now, "tensor": torch.arange(3.0)}


DAMAGE = {
    "cut short": lambda data: data[: len(data) // 2],
    "one bit flipped": lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:],
    "empty": lambda data: b"",
    "something else": lambda data: b"GIF89a",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_falls_back_or_names_the_remedy(tmp_path, damage):
    path = tmp_path / "run.checkpoint"
    checkpoint.save(path, state(1))
    checkpoint.save(path, state(2))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match=r"run\.checkpoint .*going on from .*previous"):
        assert checkpoint.load(path, "f")["now"] == 1
    checkpoint.previous(path).unlink()
    with pytest.raises(CheckpointError, match=r"run\.checkpoint .*Delete .*run\.checkpoint"):
        checkpoint.load(path, "f")


def test_nothing_there_and_other_settings(tmp_path):
    path = tmp_path / "run.checkpoint"
    assert checkpoint.load(path, "f") is None
    checkpoint.save(path, state(1))
    with pytest.raises(CheckpointError, match=r"other settings \(f there, g here\)"):
        checkpoint.load(path, "g")


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    path = tmp_path / "run.checkpoint"
    checkpoint.save(path, state(1) | {"code": pytest.approx(1)})
    with pytest.raises(CheckpointError, match="cannot be unpacked"):
        checkpoint.load(path, "f")


def test_a_full_disk_keeps_the_earlier_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.checkpoint"
    checkpoint.save(path, state(1))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"run\.checkpoint could not be written \(No space"):
        checkpoint.save(path, state(2))
    assert checkpoint.load(path, "f")["now"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["run.checkpoint"]


def test_an_unusable_folder_is_refused_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("ssl_dynamics.training.loop.Run", None)
    with pytest.raises(CheckpointError, match=r"cannot be written in .*name another folder"):
        train(tmp_path / "file")
