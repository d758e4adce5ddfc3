"""`distortion-graph version`: what is installed, for a report of a defect."""

from __future__ import annotations

import typer

from distortion_graph.cli.console import NAME, talk_of, write_output

_LIBRARIES = ("numpy", "opencv-python-headless", "onnxruntime", "pillow", "pydantic", "typer")


def version(context: typer.Context) -> None:
    """Print the versions of program, model and libraries.

    A report of a defect should have them.

    \b
    Example:
      distortion-graph version
    """
    import platform
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    from distortion_graph.predict.session import Model

    model = Model.load().identity
    lines = [
        version_line(),
        f"model {model.name} {model.version}, SHA-256 {model.sha256[:12]}…",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
    ]
    for name in _LIBRARIES:
        try:
            lines.append(f"{name} {installed(name)}")
        except PackageNotFoundError:  # under another name, such as opencv-python
            lines.append(f"{name} not found")
    for line in lines:
        talk_of(context).say(line)


def print_version(wanted: bool) -> None:
    """The callback of `--version`."""
    if wanted:
        write_output(version_line() + "\n")
        raise typer.Exit


def version_line() -> str:
    """The program's name and version."""
    from distortion_graph import __version__

    return f"{NAME} {__version__}"
