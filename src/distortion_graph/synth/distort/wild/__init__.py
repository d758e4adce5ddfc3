"""Distortions as cameras, lenses, weather and codecs make them: sub-types of the recipe `wild`."""
