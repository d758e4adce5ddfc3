"""Distortion graphs and multimodal language models: asking them, hinting them, judging them."""
