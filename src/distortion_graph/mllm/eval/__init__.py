"""Models measured on a benchmark, with and without hints."""
