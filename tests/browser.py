"""A headless Chromium for tests of what is drawn."""

from __future__ import annotations

import os
import shutil

import pytest

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser():
    """Skips, or fails where all is promised, without Chromium and Playwright."""
    from conftest import installed_module

    playwright = installed_module("playwright.sync_api")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        missing = pytest.fail if os.environ.get("EINSUM_UNIFIED_REQUIRE_ALL") else pytest.skip
        missing("chromium is not installed")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()
