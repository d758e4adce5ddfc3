"""Chromium that draws letters in a chosen way: hinting, sub-pixels, whole positions."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)


class Letters(NamedTuple):
    """How letters are drawn: fontconfig's hinting and sub-pixels, and Chromium's positions."""

    hinting: str = "hintnone"
    sub_pixels: str = "none"
    whole_positions: bool = False


def found_chromium() -> str | None:
    """The program's path, None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def chromium(advice: str = "") -> str:
    """The program's path; SystemExit where there is none, with further advice."""
    program = found_chromium()
    if program is None:
        raise SystemExit(f"no Chromium here (Debian: apt install chromium){advice}")
    return program


def launched(playwright: Playwright, letters: Letters, folder: Path) -> Browser:
    """A browser that draws letters so; its configuration and fonts' cache stand in the folder."""
    config = folder / f"{letters.hinting}-{letters.sub_pixels}.conf"
    config.write_text(_fontconfig(letters, folder))
    whole = ["--disable-font-subpixel-positioning"] if letters.whole_positions else []
    return playwright.chromium.launch(
        executable_path=chromium(),
        args=[*FLAGS, *whole],
        env={**os.environ, "FONTCONFIG_FILE": str(config)},
        ignore_default_args=["--font-render-hinting=none", "--disable-lcd-text"],
    )


def _fontconfig(letters: Letters, folder: Path) -> str:
    hinted = "false" if letters.hinting == "hintnone" else "true"
    edits = "".join(
        f'<edit name="{name}" mode="assign">{value}</edit>'
        for name, value in {
            "antialias": "<bool>true</bool>",
            "hinting": f"<bool>{hinted}</bool>",
            "hintstyle": f"<const>{letters.hinting}</const>",
            "rgba": f"<const>{letters.sub_pixels}</const>",
        }.items()
    )
    matches = "".join(f'<match target="{t}">{edits}</match>' for t in ("pattern", "font"))
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>/usr/share/fonts</dir><cachedir>{folder / 'fontcache'}</cachedir>{matches}"
        "</fontconfig>"
    )
