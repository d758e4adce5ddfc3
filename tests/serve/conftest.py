"""A browser for the page, and the page in it."""

from browser_fixtures import axe, browser
from page_tabs import address, opened

__all__ = ["address", "axe", "browser", "opened"]
