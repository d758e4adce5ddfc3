"""Synthesis: distortions, recipes, and the pairs they make with their true graph."""
