"""Regions found in the pixels: by colour and edges, or by a panoptic model."""
