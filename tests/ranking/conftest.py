"""A browser for the pages, and a shipped model that orders by scores."""

import pytest
from browser_fixtures import axe, browser, open_page

from distortion_graph.predict.session import load_model

__all__ = ["axe", "browser", "open_page"]


@pytest.fixture(scope="module", autouse=True)
def scores_alone():
    """Opinions come before scores where a model gives them; these tests are of scores."""
    model = load_model()
    before = model.decoding
    model.decoding = before.model_copy(update={"opinion": None})
    yield
    model.decoding = before
