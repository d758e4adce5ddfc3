"""From a model's folder to what can be run: its manifest, and its networks in ONNX Runtime."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from distortion_graph.base.errors import ModelError, VocabularyError
from distortion_graph.base.json_text import has_half_characters
from distortion_graph.base.validation import validation_line
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import ModelInfo
from distortion_graph.predict.decode import Decoding
from distortion_graph.predict.names import (
    ENCODER_FILE,
    HEAD_FILE,
    HEAD_INPUTS,
    IS_ORIGINAL,
    MANIFEST_FILE,
    MODEL_FILES,
    OUTPUTS,
    PICTURE,
    POOLING_FILE,
    POOLING_INPUTS,
    PRESENT,
    READER_FILE,
    STATISTICS,
)
from distortion_graph.predict.registry import HUB, SHIPPED
from distortion_graph.work.threads import CachedCall


@dataclass(frozen=True)
class ModelIdentity:
    """Which model it is."""

    name: str
    version: str
    sha256: str
    known_threshold: float | None = None

    @property
    def info(self) -> ModelInfo:
        """What a graph says about the model that made it."""
        return ModelInfo(**asdict(self))


@dataclass(frozen=True)
class Manifest:
    """What stands beside the networks of a model."""

    identity: ModelIdentity
    vocabulary: Vocabulary
    card: dict[str, Any]
    takes_reference: bool
    names_further: bool
    decoding: Decoding

    @property
    def head_inputs(self) -> tuple[str, ...]:
        """What the head takes."""
        return (*HEAD_INPUTS, IS_ORIGINAL) if self.takes_reference else HEAD_INPUTS

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the head says."""
        return (*OUTPUTS, PRESENT) if self.names_further else OUTPUTS


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model's folder; raises ModelError where there is none that can be used."""
    path = folder / MANIFEST_FILE
    try:
        text = path.read_text("utf-8")
        value = json.loads(text)
        if has_half_characters(text, value):
            raise ValueError("half of a character in a string")
        missing = {"name", "version", "sha256", "vocabulary"} - set(value)
    except OSError:
        raise ModelError(
            f"{folder}: no model there, expected a folder with {MANIFEST_FILE}, {ENCODER_FILE} "
            f"and {HEAD_FILE}, {HUB}org/name, or the name {SHIPPED[0]!r}"
        ) from None
    except (ValueError, TypeError, RecursionError) as problem:
        raise ModelError(f"{path}: not a JSON object ({problem})") from None
    if missing:
        raise ModelError(f"{path}: {', '.join(sorted(missing))} missing")
    try:
        vocabulary = Vocabulary.model_validate(value["vocabulary"])
    except ValidationError as problem:
        line = validation_line(problem, f"{path} (vocabulary)", Vocabulary)
        raise ModelError(line) from problem
    facts = {f.name: value.get(f.name) for f in fields(ModelIdentity)}
    try:
        ModelInfo.model_validate(facts)
    except ValidationError as problem:
        raise ModelError(validation_line(problem, str(path), ModelInfo)) from problem
    return Manifest(
        ModelIdentity(**facts),
        vocabulary,
        value.get("card", {}),
        takes_reference=bool(value.get("takes_reference", False)),
        names_further=bool(value.get("names_further", False)),
        decoding=_decoding(value, vocabulary, path),
    )


def _decoding(value: dict[str, Any], vocabulary: Vocabulary, path: Path) -> Decoding:
    """How answers are decoded; a key that is null or absent has its default."""
    given = {k: value[k] for k in Decoding.model_fields if value.get(k) is not None}
    try:
        decoding = Decoding.model_validate(given)
        if decoding.opinion is not None:
            decoding.opinion.check_labels(vocabulary)
    except ValidationError as problem:
        raise ModelError(validation_line(problem, str(path), Decoding)) from problem
    except VocabularyError as problem:
        raise ModelError(f"{path}: opinion.by_distortion: {problem}") from problem
    return decoding


class Networks:
    """The networks of a model, each opened once for each number of threads, by whoever asks first.

    Several threads may ask at once. The files are read, and their hash is compared with the
    manifest's, when the first network is asked for.
    """

    def __init__(self, folder: Path, manifest: Manifest, providers: Sequence[str] | None) -> None:
        """`providers` of execution in order of preference; ModelError for one that is not there."""
        _check_providers(providers)
        _keep_freed_memory()
        self._folder, self._providers = folder, providers
        self._sha256 = manifest.identity.sha256
        self._inputs = {
            ENCODER_FILE: (PICTURE,),
            POOLING_FILE: POOLING_INPUTS,
            READER_FILE: STATISTICS,
            HEAD_FILE: manifest.head_inputs,
        }
        self._files = CachedCall(self._read_files)
        self._sessions: dict[tuple[str, int], CachedCall[Any]] = {}

    def session(self, name: str, threads: int) -> Any:
        """The session of a file with so many threads.

        Raises ModelError for files that are damaged or of another version.
        """
        opening = partial(self._open, name, threads)
        # `setdefault` lets one thread win; `CachedCall` lets the others wait for what it opens.
        return self._sessions.setdefault((name, threads), CachedCall(opening))()

    def _read_files(self) -> dict[str, bytes]:
        """The networks, as the manifest says they are."""
        try:
            files = [(self._folder / name).read_bytes() for name in MODEL_FILES]
        except OSError as problem:
            raise ModelError(
                f"{problem.filename}: cannot be read ({problem.strerror}); the model is "
                "incomplete or of another version of distortion-graph, install or export it again"
            ) from None
        actual = hashlib.sha256(b"".join(files)).hexdigest()
        if actual != self._sha256:
            raise ModelError(
                f"{self._folder}: model files have SHA-256 {actual[:12]}…, the manifest expects "
                f"{self._sha256[:12]}…; the model is damaged, install or export it again"
            )
        return dict(zip(MODEL_FILES, files, strict=True))

    def _open(self, name: str, threads: int) -> Any:
        """A session of one of the files; raises ModelError where it takes other inputs."""
        inputs = self._inputs[name]
        session = _open(self._files()[name], self._providers, threads)
        taken = {i.name for i in session.get_inputs()}
        if taken != set(inputs):
            raise ModelError(
                f"{self._folder / name}: takes {', '.join(sorted(taken))}, expected "
                f"{', '.join(sorted(inputs))}; the model was exported by another version of "
                "distortion-graph, export its network again"
            )
        return session


def _runtime() -> Any:
    """ONNX Runtime, told before it starts that it must not report to its maker.

    Its own builds do, and for that write a number into the folder of temporary files.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def _check_providers(providers: Sequence[str] | None) -> None:
    if providers is None:
        return
    onnxruntime = _runtime()
    there = onnxruntime.get_available_providers()
    unknown = [p for p in providers if p not in there]
    if unknown:
        raise ModelError(
            f"execution provider {', '.join(unknown)} is not in this ONNX Runtime, "
            f"there are {', '.join(there)}"
        )


def _keep_freed_memory() -> None:
    """Let what one pair frees serve the next one.

    glibc gives large blocks back to the system, and its idea of large grows with those that it has
    seen freed, up to 32 MB. Else some processes return thousands of pages in every pair and ask for
    them again, which takes a tenth of the time on one thread.
    """
    np.empty(31 << 20, np.uint8)


def _open(file: bytes, providers: Sequence[str] | None, threads: int) -> Any:
    onnxruntime = _runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # errors are raised, and need no print beside that
    # Without a plan for all tensors at once the same speed takes half the memory.
    options.enable_mem_pattern = False
    # Idle threads sleep: the rest of a comparison, and other programs, need the cores too.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            file, options, providers=list(providers or ["CPUExecutionProvider"]),
            enable_fallback=0,  # which prints why, and takes another provider than was asked for
        )  # fmt: skip
    except Exception as problem:
        raise ModelError(f"model cannot be opened by ONNX Runtime: {problem}") from problem
