"""Errors for mistakes in what the user gave: one clear line each; the command line exits with 2."""

from __future__ import annotations

import warnings

_LONGEST_LINE = 2000


def one_line(text: str) -> str:
    """A text as one line that steers no terminal, whatever the files say that it quotes.

    Line ends become spaces, other characters that cannot be seen are written as in Python, and of
    a text of more than 2000 characters the middle is left out.
    """
    if not text.isprintable():
        text = "".join(
            c if c.isprintable() else " " if c.isspace() else c.encode("unicode_escape").decode()
            for c in text
        )
    if len(text) > _LONGEST_LINE:
        text = f"{text[: _LONGEST_LINE * 3 // 4]} … {text[-_LONGEST_LINE // 5 :]}"
    return text


class DistortionGraphError(ValueError):
    """Base of every error that is the input's fault; its text is one line for a person.

    The line names the file or argument, what was found, what was expected and what to do.
    """

    def __str__(self) -> str:
        return one_line(super().__str__())


class ImageError(DistortionGraphError):
    """A picture cannot be read, or does not fit its partner."""


class RegionError(DistortionGraphError):
    """Masks, boxes or label maps that do not describe usable regions of the picture."""


class GraphError(DistortionGraphError):
    """A graph file or graph object that breaks the schema or its own vocabulary."""


class VocabularyError(DistortionGraphError):
    """A label or id that the vocabulary in use does not have, or an impossible vocabulary."""


class RecipeError(DistortionGraphError):
    """A distortion, sub-type, severity or level that does not exist."""


class ModelError(DistortionGraphError):
    """A model file that is missing, damaged or made for another vocabulary."""


class DatasetError(DistortionGraphError):
    """A data set's folder, one of its files, or a source of pictures, that is not as it must be."""


class RankingError(DistortionGraphError):
    """Candidates that cannot be ranked: too few of them, or ladders that name none."""


class OutputError(DistortionGraphError):
    """An output file that cannot be written, or whose type is not offered."""


class WorkError(DistortionGraphError):
    """Work that cannot go on: a worker process was killed, or the journal is another run's."""


class BatchError(DistortionGraphError):
    """A list of pairs, or the folder of a batch's results, cannot be used."""


class VideoError(DistortionGraphError):
    """A video cannot be read, or does not fit its partner."""


class PolicyError(DistortionGraphError):
    """A policy of the gate, or its baseline, that cannot be used."""


class DamageError(ValueError):
    """A file that contradicts itself or is cut off: the reason, without the file's name.

    Readers turn it into the error of what they read; users never see it.
    """


class DistortionGraphWarning(UserWarning):
    """Something about the input that the user should know and that does not stop the work."""


def warn_user(text: str) -> None:
    """Give Python's warnings a line for the user."""
    warnings.warn(one_line(text), DistortionGraphWarning, stacklevel=3)
