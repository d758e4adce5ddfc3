"""`python -m distortion_graph`."""

from distortion_graph.cli.main import main

main()
