"""Runs on images from the command line: records, plans, refusals, resumption."""

import numpy as np
import pytest

from ssl_dynamics import cli
from ssl_dynamics.experiments import ablation, pretrain
from ssl_dynamics.records import load
from ssl_dynamics.training.images import run_images

QUICK = {
    "dataset": "digits", "encoder": "tiny", "epochs": 2, "batch": 64, "images": 128, "bank": 64,
    "test": 64, "neighbours": 5, "options": ("projector=[16,8]",),
}  # fmt: skip
WORDS = [
    *("--dataset", "digits", "--encoder", "tiny", "--epochs", "1", "--batch", "64"),
    *("--images", "64", "--bank", "64", "--test", "64", "--neighbours", "5"),
    *("--options", "projector=[16,8]", "--seeds", "2", "--device", "cpu"),
    *("--quiet", "--name", "quick"),
]


def test_a_record_holds_curves_probes_spectra_and_baselines():
    record = pretrain.run(
        pretrain.Config(**QUICK, seeds=2, first_seed=4, device="cpu"), progress=False
    )
    assert record.seeds == [4, 5]
    assert record.axes["epoch"] == [0, 1, 2]
    assert record.axes["probe_epoch"] == [0, 2]
    for name in ("loss", "knn", "effective_rank", "spread", "alignment", "uniformity"):
        assert record[name].shape == (2, 3)
        assert np.isfinite(record[name]).all()
    assert record["linear"].shape == (2, 2)
    assert record["knn_pixels"][0] == record["knn_pixels"][1] > 0.5
    np.testing.assert_allclose(record["spectrum/2"].sum(1), 1, rtol=1e-5)
    assert np.isnan(record["images_per_s"][:, 0]).all()
    assert (record["images_per_s"][:, 1:] > 0).all()
    shares = record["spectrum/1"].astype(float)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(1)
    np.testing.assert_allclose(np.exp(entropy), record["effective_rank"][:, 1], rtol=1e-4)


def test_a_seed_that_diverges_has_nan_and_the_others_go_on():
    record = pretrain.run(
        pretrain.Config(
            **{**QUICK, "options": ("projector=[16,8]", "temperature=1e-3")},
            optimiser="sgd", lr=1e30, warmup=0.0, seeds=1, device="cpu",
        ),
        progress=False,
    )  # fmt: skip
    assert np.isnan(record["loss"][0, -1])
    assert record["spectrum/2"].shape == record["spectrum/0"].shape
    assert np.isfinite(record["knn"][0, 0])


def test_the_command_line_writes_a_record_and_a_plan(tmp_path, capsys):
    folders = ["--results", str(tmp_path / "r"), "--checkpoints", str(tmp_path / "c")]
    assert cli.main(["run", "pretrain", *WORDS, *folders, "--dry-run"]) == cli.DONE
    plan = capsys.readouterr().out
    for word in ("images/s", "linear probe", "memory", "checkpoint", "a seed", "lars"):
        assert word in plan
    assert not (tmp_path / "r").exists()
    assert cli.main(["run", "pretrain", *WORDS, *folders]) == cli.DONE
    record = load(tmp_path / "r" / "pretrain" / "quick.json")
    assert record.command.endswith("--name quick")
    assert not list((tmp_path / "c").rglob("*.checkpoint"))


def test_no_plan_and_bad_values_are_refused_before_any_work(tmp_path, capsys):
    assert cli.main(["run", "batchnorm", "--dry-run"]) == cli.REFUSED
    assert "--dry-run is not offered" in capsys.readouterr().err
    for words, message in (
        (["--epochs", "0"], "epochs: got 0"),
        (["--options", "heat=1"], "options: got 'heat'"),
        (["--seeds", "0"], "seeds: got 0"),
        (["--encoder", "big"], "encoder: got 'big'"),
    ):
        assert cli.main(["run", "pretrain", *words]) == cli.REFUSED
        assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())


@pytest.mark.parametrize(("field", "value"), [("images", 2000), ("batch", 2000)])
def test_more_images_than_there_are_are_refused(field, value):
    config = pretrain.Config(**{**QUICK, "images": 0, field: value}, device="cpu")
    with pytest.raises(ValueError, match=rf"{field}: got 2000; allowed: at most \d+"):
        pretrain.run(config, progress=False)


@pytest.mark.parametrize("experiment", [pretrain, ablation])
@pytest.mark.parametrize("dataset", ["digits", "factors"])
def test_sets_smaller_than_the_bank_run_with_the_defaults(experiment, dataset):
    """1347 and 5000 labelled images: all of them are the bank; so it is on STL-10."""
    config = experiment.Config(dataset=dataset)
    image = config if experiment is pretrain else config.image("none", "none", "same")
    images = run_images(image)
    assert (
        len(images.bank.labels) == len(images.train) == {"digits": 1347, "factors": 5000}[dataset]
    )


def test_a_record_without_a_name_is_called_by_what_it_holds():
    assert pretrain.Config(method="byol", dataset="cifar10").name == "byol-cifar10"
    assert pretrain.Config(name="mine").name == "mine"
    assert ablation.Config(dataset="stl10").name == "stl10"


def test_the_grid_on_digits_has_every_cell():
    config = ablation.Config(
        variants=("sigma",), predictors=("none",), seeds=2, steps=2, batch=16, eval_at=(0, 2),
        device="cpu",
    )  # fmt: skip
    record = ablation.run(config, progress=False)
    assert config.cells == [("sigma", "none", "ema"), ("sigma", "none", "same")]
    assert len(ablation.Config().cells) == 36
    for cell in config.cells:
        assert record["/".join(cell) + "/effective_rank"].shape == (2, 2)
        shares = record["/".join(cell) + "/spectrum/2"]
        assert shares.shape == (2, 32)
        assert (np.diff(shares) <= 0).all()
        assert (shares.sum(1) < 1).all()
    assert record.axes["step"] == [0, 2]


def test_the_grid_on_images_is_byol_with_other_heads():
    config = ablation.Config(
        dataset="cifar100", variants=("sigma",), predictors=("none",), targets=("same",), batch=64
    )
    image = config.image(*config.cells[0])
    expected = {
        "projector": (512, 128), "predictor": None, "head_norm": "sigma", "affine": False,
        "rate": 0.0, "rate_end": 0.0,
    }  # fmt: skip
    assert image.method_options == expected
    assert image.peak_lr == pytest.approx(0.03)
    assert image.optimiser_options["kind"] == "sgd"
    assert not image.falls


@pytest.mark.parametrize(
    ("field", "value"),
    [("variants", ("nu",)), ("variants", ()), ("predictors", ("big",)), ("targets", ("ema", "ema")),
     ("seeds", 0), ("first_seed", -1), ("steps", 0), ("optimiser", "lars"), ("batch", 1),
     ("ema", 2.0), ("lr", -1.0)],
)  # fmt: skip
def test_bad_cells_are_refused(field, value):
    with pytest.raises(ValueError, match=rf"{field}: .*allowed"):
        ablation.Config(**{field: value})


def test_latent_factor_images_can_be_drawn_again_under_another_nuisance():
    factors = {**QUICK, "dataset": "factors", "recipe": "resample", "epochs": 1, "labels": "coarse"}
    record = pretrain.run(pretrain.Config(**factors, seeds=1, device="cpu"), progress=False)
    assert np.isfinite(record["loss"]).all()
    assert (record["alignment"] > 0.01).all()  # the views of test images differ too
    with pytest.raises(ValueError, match=r"recipe: got 'resample'; .* for factors"):
        pretrain.Config(recipe="resample")
