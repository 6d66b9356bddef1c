"""Every closed form has a test that notices when the form is wrong.

For each module of ``theory`` with ``FORMS``, the module ``tests/theory/test_<topic>.py`` must hold
``ROUTES``: one independent computation for each form, which raises when the form is off. Here every
route must accept the true form, and refuse every wrong one that ``mutations`` makes of it.
"""

import importlib
import importlib.util
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ssl_dynamics import theory
from ssl_dynamics.symbolic import mutations

FEWEST = 3
"""Wrong versions every form must yield: fewer would test the test too little."""


@cache
def form_module(topic: str) -> ModuleType:
    return importlib.import_module(f"ssl_dynamics.theory.{topic}")


@cache
def route_module(topic: str) -> ModuleType:
    path = Path(__file__).with_name(f"test_{topic}.py")
    spec = importlib.util.spec_from_file_location(f"routes_of_{topic}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOPICS = [
    module.name
    for module in pkgutil.iter_modules(theory.__path__)
    if getattr(form_module(module.name), "FORMS", None)
]
EVERY = [(topic, name) for topic in TOPICS for name in form_module(topic).FORMS]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_form_has_a_route_and_every_route_a_form(topic):
    forms = form_module(topic).FORMS
    routes = getattr(route_module(topic), "ROUTES", {})
    assert set(routes) == set(forms), (
        f"tests/theory/test_{topic}.py: no route for {sorted(set(forms) - set(routes))}, "
        f"no form for {sorted(set(routes) - set(forms))}"
    )
    misnamed = {key: form.name for key, form in forms.items() if key != form.name}
    assert not misnamed, f"key and name of a form differ: {misnamed}"


@pytest.mark.parametrize(("topic", "name"), EVERY, ids=lambda v: v)
def test_the_route_accepts_the_form(topic, name):
    route_module(topic).ROUTES[name](form_module(topic).FORMS[name])


@pytest.mark.parametrize(("topic", "name"), EVERY, ids=lambda v: v)
def test_the_route_refuses_every_wrong_version(topic, name):
    form, route = form_module(topic).FORMS[name], route_module(topic).ROUTES[name]
    wrong = mutations(form)
    assert len(wrong) >= FEWEST, f"{name} has {len(wrong)} wrong versions, needs {FEWEST}"
    for description, version in wrong:
        assert refused(route, version), f"{topic}.{name}: its route accepts {description}"


def refused(route, version) -> bool:
    """Whether the route raises; a wrong version may leave the domain, which counts as noticed."""
    try:
        with np.errstate(all="ignore"):
            route(version)
    except Exception:
        return True
    return False
