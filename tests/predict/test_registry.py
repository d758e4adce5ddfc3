"""Models by name, by folder, and from the hub, which is never reached here."""

from __future__ import annotations

import shutil

import pytest

from distortion_graph.base.errors import ModelError
from distortion_graph.predict.names import MANIFEST_FILE, MODEL_FILES
from distortion_graph.predict.registry import find_model
from distortion_graph.predict.session import Model

hub = pytest.importorskip("huggingface_hub", reason="needs the hub extra")


def test_the_shipped_model_has_names_and_a_folder_is_itself(tmp_path):
    assert find_model() == find_model("shipped") == find_model("default")
    assert Model.load("shipped").identity == Model.load().identity
    assert find_model(tmp_path) == find_model(str(tmp_path)) == tmp_path


def stand_in(monkeypatch, folder, cached):
    asked = []

    def snapshot(name, *, revision, allow_patterns, local_files_only=False):
        asked.append((name, revision, local_files_only))
        assert set(allow_patterns) == {*MODEL_FILES, MANIFEST_FILE}
        if local_files_only and not cached:
            raise hub.errors.LocalEntryNotFoundError("nothing in the cache")
        return str(folder)

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    return asked


def test_a_repository_is_taken_from_the_cache_and_else_fetched(tmp_path, monkeypatch):
    shutil.copytree(find_model(), tmp_path / "it")
    asked = stand_in(monkeypatch, tmp_path / "it", cached=True)
    assert Model.load("hf://org/name@abc").identity == Model.load().identity
    assert asked == [("org/name", "abc", True)]
    asked = stand_in(monkeypatch, tmp_path / "it", cached=False)
    assert find_model("hf://org/name") == tmp_path / "it"
    assert asked == [("org/name", None, True), ("org/name", None, False)]


def test_a_repository_whose_files_are_not_those_of_its_manifest_is_refused(tmp_path, monkeypatch):
    import numpy as np

    shutil.copytree(find_model(), tmp_path / "it")
    head = tmp_path / "it" / "head.onnx"
    head.write_bytes(head.read_bytes() + b"\0")
    stand_in(monkeypatch, tmp_path / "it", cached=True)
    model, picture = Model.load("hf://org/name"), np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(ModelError, match=r"model files have SHA-256 \w+…, the manifest expects"):
        model.predict(picture, picture, np.zeros((0, 16, 16), bool))


def test_what_the_hub_does_not_give_is_said_with_the_command_that_fetches_it(monkeypatch):
    def nothing(*_, local_files_only=False, **__):
        raise hub.errors.LocalEntryNotFoundError("no network\nhere")

    monkeypatch.setattr(hub, "snapshot_download", nothing)
    with pytest.raises(ModelError) as caught:
        find_model("hf://org/name@v1")
    assert str(caught.value) == (
        "model 'hf://org/name@v1': not in the local Hugging Face cache, and it cannot be fetched "
        "from the hub (no network here); download it first: hf download org/name --revision v1"
    )
    with pytest.raises(ModelError, match="expected hf://org/name or hf://org/name@revision"):
        find_model("hf://name")


def test_a_model_of_the_same_name_in_another_place_is_another_one(tmp_path, monkeypatch):
    from distortion_graph.predict.session import load_model

    for name in ("one", "two"):
        shutil.copytree(find_model(), tmp_path / name / "model")
    monkeypatch.chdir(tmp_path / "one")
    first = load_model("model")
    assert load_model("model") is first
    monkeypatch.chdir(tmp_path / "two")
    assert load_model("model") is not first
