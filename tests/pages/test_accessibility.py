"""Every page with a widget, held against axe-core at both widths and in both themes.

The whole page is checked at (1300 px, light) and (390 px, dark), the widget alone in the other two
combinations. Axe walks every element many times, so what repeats is taken out of the page first:
formulas (MathJax answers for them) and highlighted code after the first two blocks (all blocks
share their colours).
"""

from __future__ import annotations

import pytest
from held import HELD, PAGES

LIGHTER = """() => {
  document.querySelectorAll("mjx-container").forEach((formula) => formula.replaceWith("formula"));
  [...document.querySelectorAll(".highlight pre")].slice(2).forEach((block) => block.remove());
}"""
PAGE = "document"
WIDGET = "{ include: [['.sslw']] }"
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("width", "theme", "part"),
    [(1300, "light", PAGE), (1300, "dark", WIDGET), (390, "light", WIDGET), (390, "dark", PAGE)],
    ids=["1300-light", "1300-dark", "390-light", "390-dark"],
)
def test_accessible_and_inside_the_screen(visit, name, width, theme, part):
    axe = pytest.importorskip(
        "axe_playwright_python.base", reason="pip install axe-playwright-python"
    )
    watched = visit(PAGES[name])
    page = watched.page
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    page.evaluate(NEXT_FRAME)
    shown = watched.widget(name)
    HELD[name](shown.state(), shown.numbers(), shown.picture())  # drawn anew for this width
    box = shown.root.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert shown.root.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe.AXE_SCRIPT)
        page.evaluate(LIGHTER)
    options = "{ resultTypes: ['violations'], preload: false }"
    found = page.evaluate(f"axe.run({part}, {options})")["violations"]
    serious = [
        f"{v['id']}: {v['nodes'][0]['html'][:160]} ({len(v['nodes'])} places)"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert not serious, "\n".join(serious)
