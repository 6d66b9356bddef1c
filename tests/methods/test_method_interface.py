"""What holds for every method: shapes, groups, symmetry, half precision, what is refused."""

from dataclasses import asdict

import pytest
import torch

from ssl_dynamics.methods import METHODS, SimCLR, build_method
from ssl_dynamics.methods.base import NORMS
from ssl_dynamics.methods.byol import BYOLConfig
from ssl_dynamics.networks.vision import encoder

PREDICTED = {"byol", "simsiam", "mean_view"}


def test_there_are_ten():
    assert len(METHODS) == 10
    assert all(kind.name == name for name, kind in METHODS.items())


@pytest.mark.parametrize("name", METHODS)
def test_loss_terms_and_gradients(build, views, name):
    method = build(name)
    value, terms = method.loss(*views)
    assert value.shape == ()
    assert value.requires_grad
    assert terms
    assert all(term.shape == () and not term.requires_grad for term in terms.values())
    value.backward()
    for group in method.parameter_groups():
        assert all(p.grad is not None and p.grad.isfinite().all() for p in group["params"])
        if group["name"].endswith("/weights"):
            assert all(p.grad.norm() > 1e-6 for p in group["params"])
    assert method.represent(views[0]).shape == (12, 64)
    again, _ = method(*views)
    torch.testing.assert_close(again, value)


@pytest.mark.parametrize("name", METHODS)
def test_groups_hold_every_trained_parameter_once(build, views, name):
    method = build(name)
    value, _ = method.loss(*views)
    value.backward()
    groups = method.parameter_groups()
    listed = [p for group in groups for p in group["params"]]
    assert len({id(p) for p in listed}) == len(listed)
    wanted = {id(p) for p in method.parameters() if p.requires_grad}
    assert {id(p) for p in listed} == wanted
    parts = {group["name"].split("/")[0] for group in groups}
    assert parts == {"encoder", "projector", *({"predictor"} if name in PREDICTED else ())}
    of_norms = {id(p) for m in method.modules() if isinstance(m, NORMS) for p in m.parameters()}
    for group in groups:
        rest = group["name"].endswith("/rest")
        assert all(rest == (id(p) in of_norms or p.dim() == 1) for p in group["params"])
        excluded = rest and method.defaults.exclude_bias_and_norm
        assert group["weight_decay"] == group["lars"] == (not excluded)
        constant = name in ("simsiam", "mean_view") and group["name"].startswith("predictor")
        assert group["constant"] == constant


@pytest.mark.parametrize("name", METHODS)
def test_views_and_images_in_any_order(build, views, name):
    """The loss does not know which view is the first, nor the order of the images."""
    one, two, labels = views
    method = build(name)
    value, _ = method.loss(one, two, labels)
    swapped, _ = method.loss(two, one, labels)
    order = torch.randperm(len(one), generator=torch.Generator().manual_seed(3))
    shuffled, _ = method.loss(one[order], two[order], labels[order])
    torch.testing.assert_close(swapped, value, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(shuffled, value, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", METHODS)
def test_half_precision_gives_a_float32_loss(build, views, name):
    one, two, labels = (v.float() if v.is_floating_point() else v for v in views)
    method = build(name, dtype=torch.float32)
    expected, _ = method.loss(one, two, labels)
    with torch.autocast("cpu", torch.bfloat16):
        value, terms = method.loss(one, two, labels)
    assert value.dtype == torch.float32
    assert all(term.dtype == torch.float32 for term in terms.values())
    torch.testing.assert_close(value, expected, rtol=0.1, atol=0.1)
    value.backward()
    method.after_step(0, 10)
    assert all(p.grad.isfinite().all() for p in method.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", METHODS)
def test_defaults_are_the_published_recipe(name):
    kind = METHODS[name]
    config = asdict(kind.Config())
    for option, value in kind.defaults.options.items():
        assert config[option] == value
    assert set(kind.paper.options) <= set(config)
    assert kind.Config(**kind.paper.options)
    for recipe in (kind.defaults, kind.paper):
        assert recipe.learning_rate(2 * recipe.per) == 2 * recipe.lr
        assert recipe.source
    assert kind.__doc__
    assert "Source: " in kind.__doc__
    assert kind.source.split(",")[0]


@pytest.mark.parametrize("name", METHODS)
def test_rows_of_other_processes_join_where_images_are_compared(build, views, name):
    """With a gather that brings the other half, half a batch gives the loss of the whole one."""
    one, two, labels = views
    method = build(name, norm="group-ws", head_norm="none", output_norm="none")
    whole, _ = method.loss(one, two, labels)
    outputs = [list(y.chunk(2)) for y in method.outputs(one, two)]
    calls = []

    def gather(y):
        calls.append(y)
        pair = outputs[(len(calls) - 1) % len(outputs)]
        torch.testing.assert_close(y, pair[0])
        return torch.cat([y, pair[1]])

    if method.couples:
        method.use_gather(gather)
        value, _ = method.loss(one[:6], two[:6], labels[:6])
        assert len(calls) == len(outputs)
    else:
        value = sum(method.loss(*(v[half] for v in views))[0] for half in HALVES) / 2
    torch.testing.assert_close(value, whole)


def test_the_loss_is_one_graph(build, views):
    """No break for `torch.compile`, with a variant of BatchNorm in the heads."""
    method = build("byol", head_norm="mu(det)+sigma")
    expected, _ = method.loss(*views)
    value, _ = torch.compile(method.loss, backend="eager", fullgraph=True)(*views)
    torch.testing.assert_close(value, expected)


HALVES = (slice(0, 6), slice(6, 12))


def test_head_norms_reach_every_head(build, views):
    """The variant of the config stands in projector and predictor; gathering reaches it."""
    method = build("byol", head_norm="mu(det)+sigma")
    kinds = [m for m in method.modules() if hasattr(m, "gather") and m is not method]
    assert len(kinds) == 3  # online projector, target projector, predictor
    method.use_gather(lambda y: y)
    assert all(m.gather is not None for m in kinds)
    assert method.loss(*views)[0].isfinite()


def test_what_is_refused(build, views):
    one, two, _ = views
    with pytest.raises(ValueError, match=r"method: got 'mocov2'; allowed: simclr, simple_"):
        build_method("mocov2", encoder("tiny", 8))
    with pytest.raises(ValueError, match=r"byol: unknown option 'tau'; allowed: projector, "):
        build("byol", tau=0.9)
    with pytest.raises(ValueError, match=r"projector: got \(\); allowed: 1 or more positive"):
        build("simclr", projector=())
    with pytest.raises(ValueError, match=r"projector: got \(8, 0\)"):
        build("simclr", projector=(8, 0))
    with pytest.raises(ValueError, match=r"head_norm: got 'layer'; allowed: mu\+sigma"):
        build("vicreg", head_norm="layer")
    with pytest.raises(ValueError, match=r"rate: got 1.5; allowed: 0 to 1"):
        build("byol", rate=1.5)
    with pytest.raises(ValueError, match=r"temperature: got 0; allowed: 0.001 to"):
        build("soft_triplet", temperature=0)
    with pytest.raises(ValueError, match=r"classes: got 1; allowed: at least 2"):
        build("supervised", classes=1)
    with pytest.raises(ValueError, match=r"every: got 0; allowed: a positive integer"):
        build("directpred", every=0)
    with pytest.raises(ValueError, match=r"predictor: got None; allowed: \(\)"):
        build("directpred", predictor=None)
    with pytest.raises(ValueError, match=r"labels: got None"):
        build("supervised").loss(one, two)
    with pytest.raises(ValueError, match=r"views: got \(12, 3, 8, 8\) and \(6, 3, 8, 8\)"):
        build("simclr").loss(one, two[:6])
    with pytest.raises(TypeError, match=r"config: got BYOLConfig; allowed: SimCLRConfig"):
        SimCLR(encoder("tiny", 8), BYOLConfig())
