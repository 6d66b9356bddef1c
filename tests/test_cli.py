"""The command line on a tiny experiment: what is refused, what is kept, what resumes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from ssl_dynamics import cli, experiments
from ssl_dynamics.experiments import provenance
from ssl_dynamics.records import Record, load

FAKE = '''
"""A fake experiment: counts steps.

More text that `list` does not print.
"""
import time
from dataclasses import dataclass
import numpy as np
from ssl_dynamics.experiments.provenance import finished

NAME = "fake"


@dataclass(frozen=True)
class Config:
    """Settings."""

    seeds: int = 4
    """number of seeds"""
    steps: int = 3
    """number of steps"""
    rates: tuple[float, ...] = (0.1, 0.2)
    device: str = "cpu"
    name: str = "run"
    act: str = "work"

    def __post_init__(self):
        if self.seeds < 1:
            raise ValueError(f"seeds: got {self.seeds}; allowed: 1 or more")


def run(config, *, progress=True, checkpoint_dir=None):
    at = checkpoint_dir / "step.txt"
    start = int(at.read_text()) if at.exists() else 0
    if progress:
        print("progress bar")
    for step in range(start, config.steps):
        if config.act == "interrupted" and step == 2 and start == 0:
            raise KeyboardInterrupt
        if config.act == "damaged":
            raise RuntimeError(f"{at} is damaged")
        if config.act == "no gpu":
            raise ValueError("device: 'cuda' asks for a GPU and none is visible")
        if config.act == "spoil":
            folder = checkpoint_dir.parents[2] / "results" / "fake"
            folder.rmdir()
            folder.write_text("a file where the folder was")
        at.write_text(str(step + 1))
    seeds = list(range(config.seeds))
    return finished(
        NAME, config, seeds,
        {"value": np.arange(config.seeds) + 0.5, "curve": np.ones((config.seeds, 2)) * start},
        axes={"step": [0, config.steps]}, device="cpu", wall_s=0.1,
    )
'''


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fake experiment beside the real ones, in an empty working folder."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "fake.py").write_text(FAKE.lstrip(), encoding="utf-8")
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path / "more")])
    monkeypatch.delitem(sys.modules, "ssl_dynamics.experiments.fake", raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("SSL_DYNAMICS_RESULTS", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    return tmp_path / "work"


def run(*arguments: str) -> int:
    return cli.main(["run", "fake", *arguments])


def test_list_names_every_experiment_with_its_first_line(fake, capsys):
    assert cli.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("fake")).endswith("counts steps.")
    assert not any("provenance" in line for line in lines)


FEWER = {"photographs": 3, "pretrain": 3, "levels": 3, "deviation_alone": 8}
"""Seeds of the experiments whose runs are long or many."""
"""Experiments on photographs, where a seed takes minutes to hours."""


def test_every_listed_experiment_is_whole():
    for name in experiments.catalogue():
        module = experiments.get(name)
        config = module.Config()
        assert config.seeds >= FEWER.get(name, 16)
        assert config.device in ("auto", "cpu")
        assert config.name


def test_run_records_and_cleans_up(fake, capsys):
    assert run("--seeds", "5", "--rates", "1", "2", "--quiet") == 0
    out = capsys.readouterr().out
    assert "saved results/fake/run.json" in out
    assert "progress bar" not in out
    record = load("fake/run")
    assert record.seeds == [0, 1, 2, 3, 4]
    assert record.config["rates"] == [1.0, 2.0]
    assert record.command == ("python -m ssl_dynamics run fake --seeds 5 --rates 1 2")
    assert record.versions["torch"]
    assert record.device == "cpu"
    assert not list(Path("checkpoints").rglob("run-*"))


def test_show_prints_n_mean_interval_and_device(fake, capsys):
    run()
    capsys.readouterr()
    assert cli.main(["show", "fake/run"]) == 0
    out = capsys.readouterr().out
    assert "value  2 [-0.05426, 4.054], n = 4, cpu" in out
    assert "curve  0 [0, 0], n = 4, cpu (last of its axis)" in out
    assert "command   python -m ssl_dynamics run fake" in out
    assert cli.main(["show", "results/fake/run.json"]) == 0


def test_a_record_is_not_replaced_silently(fake, capsys):
    assert run() == 0
    assert run("--seeds", "6") == 2
    assert "exists already" in capsys.readouterr().err
    assert len(load("fake/run").seeds) == 4
    assert run("--seeds", "6", "--overwrite") == 0
    assert len(load("fake/run").seeds) == 6
    assert run("--name", "other") == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--seeds", "0"], "seeds: got 0; allowed: 1 or more"),
        (["--seeds", "-3"], "seeds: got -3; allowed: 1 or more"),
        (["--seeds", "many"], "--seeds"),
        (["--seeds"], "--seeds"),
        (["--sedes", "3"], "Perhaps you meant"),
        (["--name", "../up"], "name = '../up'"),
    ],
)
def test_bad_options_are_refused_before_any_work(fake, capsys, arguments, reason):
    assert run(*arguments) == 2
    err = capsys.readouterr().err
    assert reason in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["run", "fakee"], "unknown experiment 'fakee'"),
        (["run", "zzz"], "known:"),
        (["run"], "NAME"),
        ([], "required"),
        (["dance"], "invalid choice"),
        (["list", "--all"], "unrecognised: --all"),
        (["show", "fake/none"], "no such record"),
    ],
)
def test_bad_commands_are_refused(fake, capsys, arguments, reason):
    assert cli.main(arguments) == 2
    err = capsys.readouterr().err
    assert reason in err
    assert "Traceback" not in err


def test_an_unknown_experiment_gets_a_close_match(fake, capsys):
    cli.main(["run", "fakee"])
    assert "Did you mean 'fake'?" in capsys.readouterr().err


def test_help_shows_the_experiments_options(fake, capsys):
    assert run("--help") == 0
    out = capsys.readouterr().out
    assert "number of seeds" in out
    assert "--overwrite" in out
    assert cli.main(["--help"]) == 0


def test_a_malformed_record_is_named(fake, capsys):
    run()
    path = Path("results/fake/run.json")
    data = json.loads(path.read_text())
    del data["device"]
    path.write_text(json.dumps(data))
    assert cli.main(["show", "fake/run"]) == 2
    err = capsys.readouterr().err
    assert "run.json: field device is missing" in err


def test_ctrl_c_leaves_a_checkpoint_and_the_same_command_resumes(fake, capsys):
    arguments = ("--act", "interrupted", "--steps", "5")
    assert run(*arguments) == 130
    assert "the same command resumes" in capsys.readouterr().err
    assert not Path("results/fake/run.json").exists()
    assert [p.read_text() for p in Path("checkpoints").rglob("step.txt")] == ["2"]
    assert run("--act", "interrupted", "--steps", "6") == 130  # other options: another folder
    assert run(*arguments) == 0
    assert load("fake/run")["curve"][0, 0] == 2.0
    assert len(list(Path("checkpoints").rglob("step.txt"))) == 1


def test_a_damaged_checkpoint_and_a_missing_gpu_are_clear(fake, capsys):
    assert run("--act", "damaged") == 1
    assert "step.txt is damaged" in capsys.readouterr().err
    assert run("--act", "no gpu") == 1
    assert "none is visible" in capsys.readouterr().err


def test_unwritable_folders_are_refused_before_any_work(fake, capsys):
    Path("results").write_text("a file")
    assert run() == 2
    assert "results/fake: cannot be written" in capsys.readouterr().err
    assert run("--results", "elsewhere", "--checkpoints", "results/deeper") == 2
    assert "results/deeper" in capsys.readouterr().err
    assert not list(Path("elsewhere").rglob("*.json"))
    assert run("--results", "elsewhere") == 0


def test_a_finished_run_is_never_lost(fake, capsys):
    assert run("--act", "spoil", "--steps", "1") == 1
    err = capsys.readouterr().err
    assert "nothing is lost" in err
    saved = err.split("was saved to ")[1].split(" instead")[0]
    assert load(saved).experiment == "fake"
    assert list(Path("checkpoints").rglob("step.txt"))


def test_only_the_first_process_of_many_writes(fake, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    assert run() == 0
    assert not Path("results").exists()


def test_a_module_without_the_needed_names_is_refused(fake):
    path = Path("..") / "more" / "broken.py"
    path.write_text('"""Broken."""\nNAME = "broken"\n')
    with pytest.raises(TypeError, match="Config and run are needed"):
        experiments.get("broken")


def test_a_real_ctrl_c_ends_without_a_traceback(tmp_path):
    script = textwrap.dedent(
        """
        import sys, time, types
        from ssl_dynamics import cli, experiments
        from dataclasses import dataclass

        @dataclass(frozen=True)
        class Config:
            name: str = "run"

        def work(config, *, progress, checkpoint_dir):
            print("working", flush=True)
            time.sleep(60)

        experiments.get = lambda name: types.SimpleNamespace(NAME="slow", Config=Config, run=work)
        sys.exit(cli.main(["run", "slow"]))
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "working\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "stopped before the first checkpoint; the same command starts anew.\n"
    assert "Traceback" not in err


def test_a_record_of_one_seed_shows_its_numbers():
    record = Record(
        experiment="e", name="n", config={}, seeds=[0], device="cpu", versions={},
        revision="r", wall_s=1.0, command="", created="c", axes={"epoch": [0, 1]},
        metrics={"knn": np.array([[0.1, 0.25]]), "pixels": np.array([0.125])},
    )  # fmt: skip
    shown = cli.describe(record)
    assert "0.25, one seed" in shown
    assert "0.125, one seed" in shown


def test_the_revision_is_that_of_the_start(fake, monkeypatch):
    """A commit made while an experiment runs does not enter its record."""
    heads = iter(["before", "after"])
    provenance.revision.cache_clear()
    answers = {"rev-parse": lambda: next(heads), "status": lambda: ""}
    monkeypatch.setattr(provenance, "_git", lambda _, verb, *rest: answers[verb]())
    try:
        assert run("--seeds", "2", "--quiet") == 0
        assert load("fake/run").revision == "before"
        assert next(heads) == "after"
    finally:
        provenance.revision.cache_clear()
