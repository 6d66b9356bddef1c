"""The experiment behind the mean-view chapter: its objectives, its features, and bad settings."""

import numpy as np
import pytest
import torch

from ssl_dynamics.data import digits
from ssl_dynamics.experiments import mean_view
from ssl_dynamics.measures import knn_accuracy
from ssl_dynamics.training.run import Run

SMALL = {"seeds": 2, "width": 16, "outputs": 8, "batch": 8, "steps": 4, "evaluations": 2}


def small(**changes):
    return mean_view.Config(**SMALL | {"device": "cpu"} | changes)


def towers(name):
    return Run(small().towers()[name], (0, 1)).towers


def test_the_table_is_whole():
    table = mean_view.Config().towers()
    assert len(table) == 7 * 4
    assert list(table)[:2] == ["mean/none", "mean+stop/none"]
    runs = mean_view.Config(objectives=tuple(mean_view.OBJECTIVES)).towers()
    assert runs.keys() - table.keys() == {f"mean+predictor/{norm}" for norm in mean_view.NORMS}
    for name, run in runs.items():
        objective, norm = name.split("/")
        assert (run.target_view == "mean") == objective.startswith("mean")
        assert run.stop_gradient == objective.endswith("stop")
        assert (run.predictor == "mlp") == ("predictor" in objective)
        assert run.loss == ("squared" if norm == "none" else "cosine")
        assert (run.encoder_norm != "none") == (norm in ("hidden", "output"))
        assert (run.output_norm != "none") == (norm == "output")
        assert run.weight_decay == 0


@pytest.mark.parametrize("stop", ["", "+stop"])
def test_the_target_is_the_output_at_the_exact_mean_view(stop):
    """Loss and gradient, written out for the encoder's weights."""
    net = towers(f"mean{stop}/none")
    views, mean = torch.randn(2, 2, 5, 64), torch.randn(2, 5, 64)
    net.loss(views, mean).sum().backward()
    found = [p.grad.clone() for p in net.online.parameters()]
    net.zero_grad()
    target = net.online.encoder(mean)
    target = target.detach() if stop else target
    apart = net.online.encoder(views) - target[:, None]
    (apart.square().sum(-1).mean(-1).sum() / 2).backward()
    for got, p in zip(found, net.online.parameters(), strict=True):
        torch.testing.assert_close(got, p.grad)


def test_the_three_kinds_of_input_belong_to_the_same_images():
    data = digits()
    kinds = mean_view.inputs(data)
    for part in (0, 1):
        clean, mean, views = (kinds[k][part] for k in ("x", "mean view", "mean output"))
        torch.testing.assert_close(views[:, 0], clean)
        torch.testing.assert_close(views.mean(1), mean)
    picture = kinds["x"][1][3].reshape(8, 8)
    right = kinds["mean output"][1][3].reshape(9, 8, 8)[mean_view_shift(0, 1)]
    torch.testing.assert_close(right[:, 1:], picture[:, :-1])
    assert (right[:, 0] == data.test.min()).all()


def mean_view_shift(dy, dx):
    from ssl_dynamics.data.digits import SHIFTS

    return SHIFTS.index((dy, dx))


def test_for_a_linear_encoder_two_of_the_features_are_one():
    data = digits()
    net = mean_view.Run(small().towers()["mean/none"], (0, 1)).towers.online.encoder
    linear = torch.nn.Sequential(net[0])  # the first layer alone
    mean, whole = (
        mean_view.features(linear, data.to("cpu", torch.float32), k, 2)[1]
        for k in ("mean view", "mean output")
    )
    torch.testing.assert_close(mean, whole)


def test_metrics_are_those_of_the_encoder_and_the_baseline_is_its_start():
    record = mean_view.run(small(objectives=("mean", "pair"), norms=("l2",)), progress=False)
    data = digits()
    config = small().towers()["mean/l2"]
    net = Run(config, (0, 1)).towers.online.encoder
    with torch.no_grad():
        train, test = (net(x.float().expand(2, *x.shape)) for x in (data.train, data.test))
    knn = knn_accuracy(train, data.train_labels, test, data.test_labels)
    np.testing.assert_allclose(record["mean/l2/knn"][:, 0], knn)
    np.testing.assert_allclose(record["pair/l2/knn"][:, 0], knn)
    shares = sum(record[f"mean/l2/share {k}"] for k in range(1, 9))
    np.testing.assert_allclose(shares, 1, rtol=1e-5)
    assert record.axes["step"] == [0, 2, 4]
    assert record["start/l2/knn of mean view"].shape == (2,)


def test_a_finished_condition_is_read_back(tmp_path):
    config = small(objectives=("mean",), norms=("l2",))
    first = mean_view.run(config, progress=False, checkpoint_dir=tmp_path)
    again = mean_view.run(config, progress=False, checkpoint_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    for key, values in first.metrics.items():
        np.testing.assert_array_equal(values, again[key])


@pytest.mark.parametrize(
    ("field", "value"),
    [("seeds", 0), ("width", 0), ("outputs", 7), ("first_seed", -1), ("steps", 5),
     ("evaluations", 0), ("norms", ("all",)), ("objectives", ())],
)  # fmt: skip
def test_bad_settings_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}: got"):
        small(**{field: value})
