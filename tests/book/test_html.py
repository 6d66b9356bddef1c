"""The built pages: links and anchors resolve, nothing comes from another host, images speak."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

LOADS = (
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("object", "data"),
    ("embed", "src"),
)
LINK_RELATIONS = {"stylesheet", "preload", "prefetch", "icon", "shortcut", "modulepreload"}
CSS_ADDRESS = re.compile(r"(?:@import\s+|url\()\s*[\"']?((?:https?:)?//[^\"')\s]+)")
FETCHES = re.compile(
    r"(?:import|fetch|importScripts|require|new Worker)\s*\(\s*[\"'`](?:https?:)?//"
)


@cache
def soup(page: Path) -> BeautifulSoup:
    """The parsed page."""
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def pages(html: Path) -> list[Path]:
    """Every page of the book, without the indexes that Sphinx adds."""
    return sorted((html / "book").rglob("*.html"))


def foreign(address: str) -> bool:
    """Whether an address names another host."""
    return bool(re.match(r"(?:https?:)?//", address.strip()))


@pytest.fixture(scope="module")
def built(html: Path) -> list[Path]:
    found = pages(html)
    assert len(found) > 5
    return found


def test_nothing_is_loaded_from_another_host(built: list[Path], html: Path) -> None:
    faults = []
    for page in built:
        name = page.relative_to(html)
        for tag, attribute in LOADS:
            for node in soup(page).find_all(tag):
                if foreign(node.get(attribute) or ""):
                    faults.append(f"{name}: {tag} {node[attribute]}")
        for node in soup(page).find_all("link"):
            relations = {word.lower() for word in node.get("rel") or []}
            if relations & LINK_RELATIONS and foreign(node.get("href") or ""):
                faults.append(f"{name}: link {node['href']}")
        for node in soup(page).find_all("script"):
            hit = FETCHES.search(node.string or "")
            if hit:
                faults.append(f"{name}: script asks for {hit[0]}")
        for node in soup(page).find_all("style"):
            faults += [f"{name}: style {hit}" for hit in CSS_ADDRESS.findall(node.string or "")]
    for sheet in html.rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        faults += [f"{sheet.name}: {hit}" for hit in CSS_ADDRESS.findall(text)]
    assert not faults, "\n".join(faults)


def links(page: Path) -> Iterator[str]:
    """Addresses of the page's own text and navigation."""
    for node in soup(page).find_all("a"):
        if node.get("href") and not node["href"].startswith(("mailto:", "javascript:", "data:")):
            yield node["href"]


@cache
def anchors(page: Path) -> frozenset[str]:
    """Everything on a page that a link can point to."""
    found = {node["id"] for node in soup(page).find_all(id=True)}
    return frozenset(
        found | {node["name"] for node in soup(page).find_all("a", attrs={"name": True})}
    )


def test_internal_links_and_anchors_resolve(built: list[Path], html: Path) -> None:
    faults = []
    for page in built:
        for address in links(page):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            where = f"{page.relative_to(html)} -> {address}"
            if not target.is_file():
                faults.append(f"{where}: no such file")
            elif parts.fragment and target.suffix == ".html":
                anchor = unquote(parts.fragment)
                if anchor not in anchors(target) and not anchor.startswith(":~:"):
                    faults.append(f"{where}: no such anchor")
    assert not faults, "\n".join(sorted(set(faults)))


def test_anchors_are_unique(built: list[Path], html: Path) -> None:
    faults = []
    for page in built:
        article = soup(page).find("article") or soup(page)
        counts = Counter(node["id"] for node in article.find_all(id=True))
        faults += [f"{page.relative_to(html)}: {key}" for key, n in counts.items() if n > 1]
    assert not faults, "\n".join(faults)


def test_every_image_speaks(built: list[Path], html: Path) -> None:
    faults = []
    for page in built:
        for image in (soup(page).find("article") or soup(page)).find_all("img"):
            alt = image.get("alt", "")
            if len(alt.split()) < 5 or alt.startswith(("_images", "../_images")):
                faults.append(f"{page.relative_to(html)}: {image.get('src')}: {alt!r}")
    assert not faults, "\n".join(faults)


def test_no_machine_path_is_shown(built: list[Path], html: Path, root: Path) -> None:
    home = str(Path.home())
    for page in built:
        text = page.read_text(encoding="utf-8")
        assert str(root) not in text, page.relative_to(html)
        assert len(home) < 6 or home not in text, page.relative_to(html)


def test_no_dead_button_before_the_address_is_known(built: list[Path], root: Path) -> None:
    import yaml

    address = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"][
        "url"
    ]
    for page in built:
        text = page.read_text(encoding="utf-8")
        if not address:
            assert "mybinder.org" not in text
            assert "btn-source-issues-button" not in text
            assert "colab.research" not in text


def test_the_page_is_light(built: list[Path], html: Path) -> None:
    for page in built:
        assert page.stat().st_size < 3_000_000, page.relative_to(html)
