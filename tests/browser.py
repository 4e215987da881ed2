"""A real browser for the tests of what it shows; missing, they skip by name, or fail where it is promised."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium that playwright drives; not for longer, for it runs an event loop."""
    chromium = next(filter(None, map(shutil.which, _NAMES)), None)
    for name, found in (("playwright", find_spec("playwright")), ("chromium", chromium)):
        if not found:
            tell = pytest.fail if os.environ.get("EINSUM_UNIFIED_REQUIRE_ALL") else pytest.skip
            tell(f"{name} is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium, args=_QUIET)
        yield made
        made.close()


@pytest.fixture(scope="module")
def _tab(browser: Any) -> Any:
    return browser.new_page()


@pytest.fixture
def tab(_tab: Any) -> Any:
    """A page that shows nothing yet: always the same one, since each new one is a process of Chromium's."""
    _tab.mouse.move(0, 0)
    _tab.set_viewport_size({"width": 1280, "height": 800})
    _tab.emulate_media(color_scheme="light")
    _tab.goto("about:blank")
    return _tab
