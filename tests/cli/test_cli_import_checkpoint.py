"""`distortion-graph import-checkpoint`: a folder of safetensors and JSON, or one clear line."""

from __future__ import annotations

import pytest
from cli_runs import contents, photo

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("transformers", reason="needs the segment extra")

from tiny_panda import hub_state, published_checkpoint, tiny_dinov2, tiny_panda  # noqa: E402


class Code:
    """What a pickle may hold and no checkpoint needs."""


@pytest.fixture
def checkpoint(here):
    """`panda.pt` in the working folder, and the network that it was made of."""
    from distortion_graph.model.backbones import TransformersBackbone

    backbone = TransformersBackbone(tiny_dinov2(), source="tiny")
    network = tiny_panda(backbone, published_normalisation=True)
    (here / "dinov2").mkdir()
    whole = published_checkpoint(network, hub_state(backbone.network, here / "dinov2"))
    torch.save(whole, here / "panda.pt")
    return whole, network


def test_a_checkpoint_becomes_a_folder_that_answers_as_it_did(cli, here, checkpoint):
    from distortion_graph.model.panda import PandaPredictor, load_panda

    ended = cli("import-checkpoint", "panda.pt", "--out", "out")
    assert (ended.code, ended.err) == (0, "")
    trained = sum(p.numel() for p in checkpoint[1].trainable_parameters())
    frozen = sum(p.numel() for p in checkpoint[1].backbone.parameters())
    assert ended.out == (
        f"out: {trained:,} trained weights, {frozen:,} of the frozen encoder; 2 blocks, 5 pool "
        "entries, 56 px\n"
    )
    files = {str(p.relative_to(here / "out")) for p in (here / "out").rglob("*") if p.is_file()}
    assert files == {
        "network.json",
        "network.safetensors",
        "backbone/config.json",
        "backbone/model.safetensors",
    }
    import numpy as np

    call = (photo(0), photo(1), np.ones((2, 48, 64), bool))
    found = PandaPredictor(load_panda(here / "out")).heads(*call)
    expected = PandaPredictor(checkpoint[1]).heads(*call)
    assert all(map(np.array_equal, found, expected))


def test_a_checkpoint_without_an_encoder_needs_one(cli, here, checkpoint):
    whole, _ = checkpoint
    state = whole["model_state_dict"]
    kept = {k: v for k, v in state.items() if not k.startswith("backbone.")}
    torch.save({"model_state_dict": kept}, "bare.pt")
    assert cli("import-checkpoint", "bare.pt", "--out", "out").refusal == (
        "bare.pt: holds no weights of the frozen encoder (backbone.*); name it with --backbone, "
        "such as facebook/dinov2-small"
    )
    assert not (here / "out").exists()
    assert cli("import-checkpoint", "bare.pt", "--out", "out", "--backbone", "dinov2").code == 0


def test_a_pickle_that_would_run_code_is_refused_and_nothing_is_written(cli, here, checkpoint):
    torch.save(checkpoint[0] | {"loss": Code()}, "code.pt")
    (here / "noise.pt").write_bytes(b"\x00nothing like it")
    before = contents(here)
    for name in ("code.pt", "noise.pt"):
        assert cli("import-checkpoint", name, "--out", "out").refusal == (
            f"{name}: refused: damaged, or not only tensors and plain values, which would have to "
            "run code from the file; expected what torch.save wrote of a dictionary with "
            "model_state_dict"
        )
    assert contents(here) == before


def test_other_bad_input_is_one_line_and_exit_2(cli, here, checkpoint):
    torch.save({"weights": {}, "epoch": 3}, "other.pt")
    torch.save([1, 2], "list.pt")
    expected = "no model_state_dict of tensors in it, expected a checkpoint of the published Panda"
    for name, found in (("other.pt", "weights, epoch"), ("list.pt", "list")):
        words = cli("import-checkpoint", name, "--out", "out").refusal
        assert words == f"{name}: {expected}; found {found}"
    words = cli("import-checkpoint", "nix.pt", "--out", "out").refusal
    assert words == "nix.pt: cannot be read (No such file or directory)"
    words = cli("import-checkpoint", "panda.pt", "--out", "out", "--heads", "3").refusal
    assert words == "panda: width is 128, expected a multiple of 4 and of heads, 3"
    (here / "full").mkdir()
    (here / "full" / "x").write_text("")
    words = cli("import-checkpoint", "panda.pt", "--out", "full").refusal
    assert words == "full: is there already; name a new or an empty folder"
