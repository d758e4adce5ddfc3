"""Errors, vocabulary, files and one-line reports: what every other room stands on."""
