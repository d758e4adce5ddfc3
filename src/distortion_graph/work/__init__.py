"""Threads and processes: work shared within one budget."""
