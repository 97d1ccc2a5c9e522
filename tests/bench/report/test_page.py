"""The page in a real browser: no error, no network, everything there, sorting works.

Skipped where there is no playwright or no Chromium; ``CHROMIUM`` names one that is not on the path.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goodput.bench.report.pictures import PICTURES


def find_browser() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    executable = find_browser()
    if executable is None:
        pytest.skip("no chromium on the path")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_without_an_error(browser: Any, written: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((written / "report.html").as_uri())
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [
        (written / "report.html").as_uri()
    ]
    for name, (title, _) in PICTURES.items():
        heading = page.locator(f"h2#{name}")
        assert heading.inner_text() == title
        box = page.locator(f"h2#{name} + figure svg").bounding_box()
        assert box["width"] > 500 and box["height"] > 100, name
    assert page.locator("[role=alert]").inner_text().startswith("INVALID: at 2 req/s of a the cl")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    ink, paper = page.evaluate(
        "(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))"
    )
    text = page.evaluate(
        "getComputedStyle(document.querySelector('#scales + figure svg text')).fill"
    )
    assert text == ink, "the pictures' words have the page's colour"
    assert (_brightness(ink) > _brightness(paper)) == (scheme == "dark")
    page.close()


def _brightness(colour: str) -> int:
    return sum(int(part) for part in colour.strip("rgb()").split(","))


def test_a_click_sorts_by_value_and_another_turns_it_round(browser: Any, written: Path) -> None:
    page = browser.new_page()
    page.goto((written / "report.html").as_uri())
    table = page.locator("h2:text-is('Steps') + div table")
    column = table.locator("th").all_inner_texts().index("met")

    def shown() -> list[int]:
        rows = table.locator("tbody tr").all()
        return [int(row.locator("td").nth(column).inner_text().split("/")[0]) for row in rows]

    before = shown()
    table.locator("th button:text-is('met')").click()
    assert shown() == sorted(before) != before
    table.locator("th button:text-is('met')").click()
    assert shown() == sorted(before, reverse=True)
    assert table.locator("th[aria-sort=descending]").count() == 1
    page.close()
