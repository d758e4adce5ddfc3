"""Further metrics between two pictures, each a map pooled by region: what evidence may hold more.

`metric` says what one is, `registry` knows them by name, `measuring` measures. The others are a
metric each.
"""
