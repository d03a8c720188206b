"""A real browser for the tests of the wall: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import missing

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""The last four keep chromium from asking servers of its maker, which a closed network refuses many times a second."""
PAGE_LIMIT_MS = 60_000
"""A machine that does much else needs seconds for what takes milliseconds."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of chromium."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        missing("chromium is not installed (on Debian: apt install chromium)")
    return str(found)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests of a file.

    Not of a process: as long as Playwright is open, its event loop runs, and tests elsewhere that start one would fail.
    """
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A window without cookies or memory of others."""
    opened = browser.new_context(viewport={"width": 1280, "height": 800}, ignore_https_errors=True)
    opened.set_default_timeout(PAGE_LIMIT_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page."""
    return context.new_page()
