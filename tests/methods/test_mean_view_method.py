"""The target at the mean view: beside an independent route, its limits, its running averages."""

import pytest
import torch


def cosines(p, z):
    """Mean cosine, written out."""
    return ((p * z).sum(-1) / (p.norm(dim=-1) * z.norm(dim=-1))).mean()


@pytest.mark.parametrize("predictor", [None, (12,)])
@pytest.mark.parametrize("stop", [True, False])
def test_the_loss_written_out_with_its_gradient(build, views, predictor, stop):
    one, two, _ = views
    means = (2 * one + two) / 3
    method = build("mean_view", predictor=predictor, stop_gradient=stop)
    value, terms = method.loss(one, two, means)
    value.backward()
    found = {name: p.grad for name, p in method.named_parameters()}
    again = build("mean_view", predictor=predictor, stop_gradient=stop)
    z = again.projector(again.encoder(means))
    z = z.detach() if stop else z
    p_one, p_two = (again.predictor(again.projector(again.encoder(x))) for x in (one, two))
    expected = -(cosines(p_one, z) + cosines(p_two, z)) / 2
    expected.backward()
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(terms["cosine"], -value.detach())
    for name, p in again.named_parameters():
        torch.testing.assert_close(found[name], p.grad)


def test_the_views_themselves_as_means_are_simsiam(build, views):
    """With z(m) at one view it is half of SimSiam: D(p_1, z_2) and D(p_2, z_2)."""
    one, two, _ = views
    method, simsiam = build("mean_view"), build("simsiam")
    simsiam.load_state_dict(method.state_dict())
    both = method.loss(one, two, one)[0] + method.loss(one, two, two)[0]
    same = sum(simsiam.loss(x, x)[0] for x in (one, two)) / 2
    torch.testing.assert_close(both, simsiam.loss(one, two)[0] + same)


def test_without_means_their_estimate_is_the_mean_of_two(build, views):
    one, two, labels = views
    method = build("mean_view")
    expected, _ = method.loss(one, two, (one + two) / 2)
    for given in (None, labels):
        torch.testing.assert_close(method.loss(one, two, given)[0], expected)


@pytest.mark.parametrize("norm", ["mu+sigma", "sigma"])
def test_running_averages_follow_the_views_alone(build, views, norm):
    one, two, _ = views
    method, again = (build("mean_view", head_norm=norm, predictor=None) for _ in range(2))
    method.train()
    method.loss(one, two, 5 * one + 3)
    again.train()
    for view in (one, two):
        again.project(view)
    for (name, a), (_, b) in zip(method.named_buffers(), again.named_buffers(), strict=True):
        if "num_batches" not in name:
            torch.testing.assert_close(a, b)


def test_means_of_another_shape_are_refused(build, views):
    one, two, _ = views
    with pytest.raises(ValueError, match=r"mean views: got \(6, 3, 8, 8\); allowed: \(12, 3, 8, 8"):
        build("mean_view").loss(one, two, one[:6])
