"""Data sets in the published layout: making, checking, reading, packing and sharing them."""
