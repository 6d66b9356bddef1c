"""What a browser page shows: its complaints, its widgets, their numbers and their pictures."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

# Messages of the theme that are known and harmless (the book removes their causes where it can).
KNOWN_MESSAGES = (
    "Identifier 'THEBE_JS_URL' has already been declared",
    "Access to font at 'file://",
)

# Every mark of every plot with its data coordinates and the pixels it was drawn at.
_READ = """root => [...root.querySelectorAll("svg[data-plot]")].map(svg => ({
  plot: svg.dataset.plot,
  axes: [...svg.querySelectorAll("text[data-axis]")].map(t => [t.dataset.axis,
    Number(t.dataset.value), Number(t.getAttribute(t.dataset.axis === "x" ? "x" : "y"))
      - (t.dataset.axis === "x" ? 0 : 4.5), t.textContent]),
  marks: [...svg.querySelectorAll("[data-mark][data-x]")].map(e => {
    const number = (k) => Number(e.getAttribute(k)), d = e.getAttribute("d") ?? "";
    const pairs = [...d.matchAll(/[ML](-?[\\d.]+) (-?[\\d.]+)/g)].map(m => [+m[1], +m[2]]);
    let at;
    if (e.tagName === "circle") at = [[number("cx"), number("cy")]];
    else if (e.tagName === "line") at = [[number("x2"), number("y2")]];
    else if (e.getAttribute("transform"))
      at = [e.getAttribute("transform").match(/-?[\\d.]+/g).map(Number)];
    else if (e.dataset.x.startsWith("[")) at = pairs;
    else if (pairs.length) at = [[0, 1].map((k) => (pairs[0][k] + pairs[1][k]) / 2)];
    else if (e.querySelector("path")) at = [e.querySelector("path").getAttribute("d")
      .match(/-?[\\d.]+/g).slice(0, 2).map(Number)];
    else at = [];
    return [e.dataset.mark, JSON.parse(e.dataset.x), JSON.parse(e.dataset.y), at];
  })}))"""


def parse(text: str) -> float:
    """The number at the start of a displayed text."""
    powers = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    text = text.replace("−", "-").replace("at once", "0").replace("∞", "inf")
    found = re.match(r"(-?(?:inf|[\d.]+))(?:·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", text)
    assert found, f"no number in {text!r}"
    return float(found[1]) * 10.0 ** int((found[2] or "0").translate(powers))


class Watched:
    """A page with everything it complained about and every address it asked for."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.complaints, self.foreign = page, [], []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)
        page.goto(address)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "blob:", "data:")):
            self.foreign.append(request.url)

    def complaints_left(self) -> list[str]:
        """What the page complained about, known messages left out."""
        return [c for c in self.complaints if not any(known in c for known in KNOWN_MESSAGES)]

    def widget(self, name: str) -> Shown:
        """The widget of that name on this page, scrolled into view."""
        found = self.page.locator(f'.sslw[data-widget="{name}"]')
        found.first.wait_for()
        assert found.count() == 1, f"{found.count()} widgets {name!r} on {self.page.url}, wanted 1"
        found.scroll_into_view_if_needed()
        return Shown(self.page, found)


class Shown:
    """One widget in a page, read as a reader sees it."""

    def __init__(self, page: Any, root: Any) -> None:
        self.page, self.root = page, root

    def state(self) -> dict[str, Any]:
        """Present values of the controls."""
        return json.loads(self.root.get_attribute("data-state"))

    def regime(self) -> str:
        """The named regime."""
        return self.root.get_attribute("data-regime")

    def caption(self) -> str:
        """The words below the picture."""
        return self.root.locator(".sslw-caption").inner_text()

    def numbers(self) -> dict[str, float]:
        """The displayed numbers, after holding each text against its exact value."""
        out = {}
        for key, value, text in self.root.locator("[data-number]").evaluate_all(
            "nodes => nodes.map(n => [n.dataset.number, Number(n.dataset.value), n.textContent])"
        ):
            out[key] = float("nan") if value is None else value
            if text != "undefined" and np.isfinite(out[key]):
                assert abs(parse(text) - out[key]) <= 6e-3 * abs(out[key]) + 6e-5, (key, text)
        return out

    def picture(self) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
        """Data coordinates of every mark, after holding the pixels against the axes."""
        out: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
        for plot in self.root.evaluate(_READ):
            scale = {}
            for axis in "xy":
                ticks = np.array([t[1:3] for t in plot["axes"] if t[0] == axis], dtype=float)
                assert len(ticks) >= 2, (plot["plot"], axis)
                scale[axis] = np.polyfit(ticks[:, 0], ticks[:, 1], 1)
            for mark, x, y, pixels in plot["marks"]:
                xs, ys = (np.atleast_1d(np.array(v, dtype=float)) for v in (x, y))
                shown = np.isfinite(ys)
                at = np.array(pixels, dtype=float).reshape(-1, 2)
                px, py = np.polyval(scale["x"], xs[shown]), np.polyval(scale["y"], ys[shown])
                # beyond the frame a mark is held at its edge
                inside = (np.abs(py) < 2000) & self._within(plot, px, py)
                if len(at):
                    where = (plot["plot"], mark)
                    assert len(at) == shown.sum(), where
                    np.testing.assert_allclose(
                        at[inside, 0], px[inside], atol=0.7, err_msg=str(where)
                    )
                    np.testing.assert_allclose(
                        at[inside, 1], py[inside], atol=0.7, err_msg=str(where)
                    )
                key = (plot["plot"], mark)
                if key in out:
                    xs, ys = np.append(out[key][0], xs), np.append(out[key][1], ys)
                out[key] = (xs, ys)
        return out

    @staticmethod
    def _within(plot: dict[str, Any], px: np.ndarray, py: np.ndarray) -> np.ndarray:
        spans = [[t[2] for t in plot["axes"] if t[0] == axis] for axis in "xy"]
        return np.logical_and.reduce(
            [(v >= min(s)) & (v <= max(s)) for v, s in zip((px, py), spans, strict=True)]
        )

    def slider(self, key: str) -> Any:
        """The native range input of a control."""
        return self.root.locator(f'[data-control="{key}"] input[type=range]')

    def sliders(self) -> list[str]:
        """Names of the controls that are sliders."""
        return self.root.locator("[data-control]:has(input[type=range])").evaluate_all(
            "nodes => nodes.map(n => n.dataset.control)"
        )

    def ticks(self, key: str) -> dict[str, float]:
        """The critical values offered now: words on the button -> value."""
        buttons = self.root.locator(f'[data-control="{key}"] button:not([hidden])')
        pairs = buttons.evaluate_all("b => b.map(e => [e.dataset.tick, Number(e.dataset.value)])")
        return dict(pairs)

    def press(self, key: str, tick: str) -> None:
        """Click the button of a critical value."""
        self.root.locator(f'[data-control="{key}"] button[data-tick="{tick}"]').click()

    def drag_slider(self, key: str, start: float, end: float) -> None:
        """Take a slider with the mouse at one share of its length and leave it at another."""
        slider = self.slider(key)
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + start * box["width"], y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + end * box["width"], y, steps=3)
        self.page.mouse.up()

    def drag_handle(self, key: str, dx: float, dy: float) -> None:
        """Drag a point of the picture by so many pixels."""
        handle = self.root.locator(f'[data-handle="{key}"] .knob')
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=3)
        self.page.mouse.up()

    def keys(self, target: Any, *names: str) -> None:
        """Focus an element and press keys."""
        target.focus()
        for name in names:
            self.page.keyboard.press(name)
