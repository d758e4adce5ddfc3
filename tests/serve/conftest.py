"""A browser for the page."""

from browser_fixtures import axe, browser

__all__ = ["axe", "browser"]
