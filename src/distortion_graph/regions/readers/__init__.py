"""Files of annotation tools, and of others that draw, as the shapes that they hold of a picture."""

from __future__ import annotations
