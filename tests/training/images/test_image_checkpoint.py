"""Interrupted runs on images: the same trajectory bit for bit, also after kill -9."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from ssl_dynamics.training import CheckpointError, checkpoint
from ssl_dynamics.training.images import ImageConfig, ImageRun, pretrain, run_images
from ssl_dynamics.training.images import loop as loop_module

BASE = {
    "dataset": "digits", "encoder": "tiny", "epochs": 2, "batch": 64, "images": 256, "bank": 64,
    "test": 64, "neighbours": 5, "probe": "never",
}  # fmt: skip
SETTINGS = {
    "simclr": {"options": ("projector=[16,8]",)},
    "byol": {"options": ("projector=[16,8]", "predictor=[16]"), "eval_every": 2},
    "directpred": {"options": ("projector=[16,8]",), "optimiser": "sgd"},
}


def config(method="simclr", **changes):
    return ImageConfig(**{**BASE, "method": method, **SETTINGS[method], **changes})


@pytest.fixture(scope="module")
def images():
    return run_images(config())


def same(found, expected):
    assert set(found) == set(expected)
    for name, values in expected.items():
        if name != "images_per_s":  # a measured time
            np.testing.assert_array_equal(found[name], values, err_msg=name)


class Fault(Exception):
    """What ends a run in these tests."""


@pytest.mark.parametrize("method", SETTINGS)
def test_a_run_stopped_anywhere_goes_on_bit_for_bit(tmp_path, monkeypatch, images, method):
    """Stopped in step 2, 3 and 6 of 8, saved before every step: as if nothing had been."""
    settings = config(method)
    expected = pretrain(settings, 3, images)
    monkeypatch.setattr(loop_module, "SAVE_EVERY", -1.0)
    step = ImageRun.step
    for stop in (2, 3, 6):

        def stopped(run, *arguments, stop=stop):
            if run.now == stop:
                raise Fault
            return step(run, *arguments)

        monkeypatch.setattr(ImageRun, "step", stopped)
        with pytest.raises(Fault):
            pretrain(settings, 3, images, folder=tmp_path)
        (path,) = tmp_path.glob("*.checkpoint")
        assert checkpoint.load(path, settings.fingerprint(3))["now"] == stop
    monkeypatch.setattr(ImageRun, "step", step)
    same(pretrain(settings, 3, images, folder=tmp_path), expected)
    monkeypatch.setattr(loop_module, "ImageRun", None)
    same(pretrain(settings, 3, images, folder=tmp_path), expected)  # finished: returns at once


def test_ctrl_c_stops_between_two_steps_and_leaves_a_checkpoint(tmp_path, monkeypatch, images):
    settings = config()
    expected = pretrain(settings, 0, images)
    step = ImageRun.step

    def pressed(run, *arguments):
        if run.now == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return step(run, *arguments)

    monkeypatch.setattr(ImageRun, "step", pressed)
    with pytest.raises(KeyboardInterrupt, match="goes on from"):
        pretrain(settings, 0, images, folder=tmp_path)
    monkeypatch.setattr(ImageRun, "step", step)
    (path,) = tmp_path.glob("*.checkpoint")
    assert checkpoint.load(path, settings.fingerprint(0))["now"] == 6
    same(pretrain(settings, 0, images, folder=tmp_path), expected)


PROGRAM = f"""
import os, random, signal, sys, time
from pathlib import Path
from ssl_dynamics.training import checkpoint
from ssl_dynamics.training.images import ImageConfig, pretrain, run_images, loop

loop.SAVE_EVERY = 0.05
folder = Path(sys.argv[1])
config = ImageConfig(**{ {**BASE, **SETTINGS["byol"], "method": "byol", "epochs": 9999}!r})
reached = 0

path = folder / f"{{config.fingerprint(0)}}-0.checkpoint"

def now():
    while True:
        try:
            state = checkpoint.load(path, config.fingerprint(0))  # an error if it is not sound
            return 0 if state is None else state["now"]
        except FileNotFoundError:  # renamed while it was opened here
            continue

for _ in range(5):
    pid = os.fork()
    if pid == 0:
        pretrain(config, 0, run_images(config), folder=folder)
        os._exit(0)
    while now() <= reached:
        time.sleep(0.02)
    time.sleep(random.uniform(0, 0.3))
    os.kill(pid, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert now() > reached
    reached = now()
print("reached", reached)
"""


def test_kill_9_at_random_moments_never_leaves_a_corrupt_checkpoint(tmp_path):
    """A process that saves all the time is killed five times; each one goes on from the last.

    The parent reads the checkpoint throughout, also in the middle of writes.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("reached")


def test_a_damaged_or_foreign_checkpoint_is_named_with_the_remedy(tmp_path, images):
    settings = config(epochs=1)
    pretrain(settings, 0, images, folder=tmp_path)
    (path,) = tmp_path.glob("*.checkpoint")
    whole = path.read_bytes()
    for spoilt in (whole[: len(whole) // 2], b"", whole[:-9] + b"x" + whole[-8:]):
        path.write_bytes(spoilt)
        with pytest.raises(CheckpointError, match=r"\.checkpoint .*Delete .*start this run"):
            pretrain(settings, 0, images, folder=tmp_path)
    checkpoint.save(path, {"fingerprint": "another"}, keep_previous=False)
    with pytest.raises(CheckpointError, match="made with other settings"):
        pretrain(settings, 0, images, folder=tmp_path)


def test_left_over_parts_of_killed_writes_are_swept_away(tmp_path, images):
    settings = config(epochs=1)
    pretrain(settings, 0, images, folder=tmp_path)
    (path,) = tmp_path.glob("*.checkpoint")
    left = tmp_path / f"{path.name}abc.part"
    left.write_bytes(b"half")
    pretrain(settings, 0, images, folder=tmp_path)
    assert not left.exists()


def test_a_second_process_on_the_same_run_is_refused(tmp_path, images):
    """While the first one is at work; afterwards the run is there for everybody."""
    settings = config(epochs=1)
    path = tmp_path / f"{settings.fingerprint(0)}-0.checkpoint"
    with checkpoint.alone(path):
        with pytest.raises(CheckpointError, match=r"another process is at work on .*checkpoint;"):
            pretrain(settings, 0, images, folder=tmp_path)
        assert not path.exists()
    pretrain(settings, 0, images, folder=tmp_path)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
