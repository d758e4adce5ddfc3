"""A browser for the pages."""

from browser_fixtures import axe, browser, open_page

__all__ = ["axe", "browser", "open_page"]
