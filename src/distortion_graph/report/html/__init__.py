"""The report: one HTML file with both pictures, the graph on them, and nothing from outside."""
