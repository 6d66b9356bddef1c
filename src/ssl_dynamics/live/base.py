"""The base of all widgets: one ES module that lives in Jupyter and in a static page alike.

A widget is given :class:`~ssl_dynamics.symbolic.ClosedForm` objects. Their JavaScript, the small
shared kit (``js/kit.js``) and the drawing code of the topic (``js/<topic>.js``) are joined into one
ES module without imports. In Jupyter and Binder anywidget mounts the module and keeps its values in
step with the traitlets. In a static page the ``text/html`` of the same output mounts the same
module with a tiny model in place of the kernel; nothing is fetched, so ``file://`` works too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import Any, ClassVar, Protocol

import anywidget
import traitlets

_SHIM = """\
<div class="ssl-widget" id="{id}"><noscript>{noscript}</noscript></div>
<script type="module">
const state = {state};
const heard = {{}};
const model = {{
  get: (key) => state[key],
  set(key, value) {{
    if (JSON.stringify(state[key]) === JSON.stringify(value)) return;
    state[key] = value;
    for (const hear of [...(heard["change:" + key] ?? [])]) hear();
  }},
  on(event, hear) {{ (heard[event] ??= []).push(hear); }},
  off(event, hear) {{ heard[event] = (heard[event] ?? []).filter((f) => f !== hear); }},
  save_changes() {{}},
}};
const source = new Blob([{source}], {{ type: "text/javascript" }});
const {{ default: widget }} = await import(URL.createObjectURL(source));
widget.render({{ model, el: document.getElementById("{id}") }});
</script>"""

_PAGE = """\
<!doctype html>
<html lang="en" data-theme="{theme}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
html {{ --pst-color-text-base: #222832; --pst-color-background: #fff; }}
html[data-theme="dark"] {{ --pst-color-text-base: #ced6dd; --pst-color-background: #14181e; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 780px; margin: 1.5rem auto;
padding: 0 1rem; background: var(--pst-color-background); color: var(--pst-color-text-base); }}
h1 {{ font-size: 1.4rem; }}
</style></head>
<body><main><h1>{title}</h1>
{html}
</main></body>
</html>
"""


class Form(Protocol):
    """What a widget needs of a closed form."""

    name: str
    args: tuple[Any, ...]
    statement: str

    def javascript(self, function_name: str) -> str: ...


class Widget(anywidget.AnyWidget):
    """A picture with at most three controls, drawn from closed forms.

    A subclass names its drawing code (``TOPIC``), its one question (``QUESTION``), the closed forms
    it draws (``ROLES``: role -> names of the arguments in the order the drawing code uses), and
    declares one synced traitlet per control. The order of arguments in the form itself does not
    matter: they are matched by name.

    Args:
        forms: one closed form per role, as a mapping ``{role: form}`` or in the order of ``ROLES``.
        **values: starting values of the controls.

    Raises:
        ValueError: a role is missing, unknown, or its form has other arguments than declared.
    """

    TOPIC: ClassVar[str]
    QUESTION: ClassVar[str]
    ROLES: ClassVar[dict[str, tuple[str, ...]]]

    def __init__(self, forms: Mapping[str, Form] | Iterable[Form], **values: Any) -> None:
        unknown = sorted(set(values) - set(self.controls()))
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no control {unknown[0]!r}, allowed: {self.controls()}"
            )
        self.forms = self._by_role(forms)
        self._esm = self._module()
        super().__init__(**values)

    @classmethod
    def controls(cls) -> tuple[str, ...]:
        """Names of the traitlets that the widget shows and moves, in order of declaration."""
        own: list[str] = []
        for klass in reversed(cls.__mro__):
            if issubclass(klass, Widget):
                own += [k for k, v in vars(klass).items() if isinstance(v, traitlets.TraitType)]
        # anywidget adds traits of its own, with a leading underscore
        return tuple(k for k in own if not k.startswith("_"))

    def values(self) -> dict[str, Any]:
        """The present value of every control."""
        return {key: getattr(self, key) for key in self.controls()}

    def page(self, theme: str = "light") -> str:
        """A complete HTML page with this widget alone, to look at it in isolation."""
        return _PAGE.format(theme=theme, title=type(self).__name__, html=self._html())

    @classmethod
    def _by_role(cls, forms: Mapping[str, Form] | Iterable[Form]) -> dict[str, Form]:
        if not isinstance(forms, Mapping):
            given = list(forms)
            if len(given) != len(cls.ROLES):
                raise ValueError(
                    f"{cls.__name__} was given {len(given)} forms, it draws {len(cls.ROLES)}: "
                    f"{', '.join(cls.ROLES)}"
                )
            forms = dict(zip(cls.ROLES, given, strict=True))
        for role in [*cls.ROLES, *forms]:
            if role not in forms or role not in cls.ROLES:
                raise ValueError(
                    f"{cls.__name__} needs the forms {tuple(cls.ROLES)}, was given {tuple(forms)}"
                )
        for role, names in cls.ROLES.items():
            has = tuple(str(symbol) for symbol in forms[role].args)
            if sorted(has) != sorted(names):
                raise ValueError(
                    f"{cls.__name__}: form {forms[role].name!r} for the role {role!r} has the "
                    f"arguments {has}, it must have {names}"
                )
        return {role: forms[role] for role in cls.ROLES}

    def _constants(self) -> dict[str, Any]:
        """Data that the drawing code reads beside the formulas, by the name of its constant."""
        return {}

    def _module(self) -> str:
        """The ES module: data, generated formulas, then the kit, then the drawing code."""
        parts = [f"const {name} = {json.dumps(v)};" for name, v in self._constants().items()]
        table = []
        for role, names in self.ROLES.items():
            form = self.forms[role]
            parts.append(f"// {role}: {' '.join(form.statement.split())}")
            parts.append(form.javascript(f"form_{role}").strip())
            order = ", ".join(str(symbol) for symbol in form.args)
            table.append(f"  {role}: ({', '.join(names)}) => form_{role}({order}),")
        parts += ["const forms = {", *table, "};"]
        parts.append(f"const QUESTION = {json.dumps(self.QUESTION, ensure_ascii=False)};")
        folder = files("ssl_dynamics.live") / "js"
        for name in ("kit.js", f"{self.TOPIC}.js"):
            parts.append((folder / name).read_text(encoding="utf-8").strip())
        return "\n".join(parts) + "\n"

    def _html(self) -> str:
        state = json.dumps(self.values(), ensure_ascii=False).replace("<", "\\u003c")
        source = json.dumps(self._esm, ensure_ascii=False).replace("<", "\\u003c")
        key = f"{type(self).__name__}\n{state}\n{source}".encode()
        return _SHIM.format(
            id=f"ssl-{hashlib.sha256(key).hexdigest()[:12]}",
            noscript=escape(f"{self.QUESTION} The answer can be tried here when scripts are on."),
            state=state,
            source=source,
        )

    def __repr__(self) -> str:
        """Values only: no address, so that a stored output stays comparable."""
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.values().items())})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The bundle of anywidget, and the self-mounting page as ``text/html``."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/plain": repr(self), "text/html": self._html()}, metadata
