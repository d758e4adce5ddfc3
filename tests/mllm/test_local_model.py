"""Models in this process, on tiny checkpoints with random weights."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import tiny_vlm

from distortion_graph.mllm.client.local import LocalModel, _text_of
from distortion_graph.mllm.client.messages import (
    ContextTooLongError,
    EndpointError,
    Image,
    Request,
    Text,
)
from distortion_graph.mllm.client.thinking import final_answer

PICTURE = np.random.default_rng(0).integers(0, 256, (60, 84, 3), np.uint8)
FAMILIES = ["llava", "qwen"]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("vlm")
    return {family: tiny_vlm.save_checkpoint(root / family, family) for family in FAMILIES}


def question(words: str = "What is it?", system: str = "Be brief.", length: int = 12) -> Request:
    parts = (Text("First: "), Image(PICTURE), Text("Second: "), Image(PICTURE[:40]), Text(words))
    return Request(system, parts, max_output_tokens=length)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_comes_with_exact_tokens(family: str, checkpoints: dict[str, Path]) -> None:
    model = LocalModel(checkpoints[family])
    reply = model.send(question())
    assert reply.finish == "length" and reply.usage.output_tokens == 12
    assert not reply.usage.estimated and reply.served_by == model.name == family
    # Every byte is a token here, so a longer question has as many more.
    longer = model.send(question("What is it?" + "x" * 10))
    assert longer.usage.input_tokens == reply.usage.input_tokens + 10


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_question_has_the_same_answer_and_pictures_count(
    family: str, checkpoints: dict[str, Path]
) -> None:
    first, second = LocalModel(checkpoints[family]), LocalModel(checkpoints[family])
    assert first.send(question()) == second.send(question())
    # Answers of random weights hardly depend on what they see, the network's input does.
    light = Request("", (Image(PICTURE), Image(255 - PICTURE)))
    dark = Request("", (Image(255 - PICTURE), Image(PICTURE)))
    seen = [first._inputs(request) for request in (light, dark)]
    assert seen[0]["input_ids"].equal(seen[1]["input_ids"])
    half = len(seen[0]["pixel_values"]) // 2
    assert seen[0]["pixel_values"][:half].equal(seen[1]["pixel_values"][half:])
    assert not seen[0]["pixel_values"].equal(seen[1]["pixel_values"])


def test_several_threads_may_ask(checkpoints: dict[str, Path]) -> None:
    model = LocalModel(checkpoints["llava"])
    questions = [question(f"Number {k}?") for k in range(6)]
    found: dict[int, str] = {}

    def ask(k: int) -> None:
        found[k] = model.send(questions[k]).text

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = LocalModel(checkpoints["llava"])
    assert found == {k: alone.send(questions[k]).text for k in range(6)}


def test_an_answer_that_ends_by_itself_says_so(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(checkpoints["llava"], tmp_path / "short")
    weights = load_file(folder / "model.safetensors")
    heads = [name for name in weights if "lm_head" in name]
    weights[heads[0]] = torch.zeros_like(weights[heads[0]])  # then token 0 is the surest
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "eos_token_id": 0}))
    reply = LocalModel(folder).send(question())
    assert reply.finish == "stop" and reply.usage.output_tokens == 1


def test_a_template_without_a_system_text_gets_it_from_the_user(tmp_path: Path) -> None:
    strict = tiny_vlm.save_checkpoint(tmp_path / "strict", template=tiny_vlm.WITHOUT_SYSTEM)
    free = tiny_vlm.save_checkpoint(tmp_path / "free")
    lost = len("system: ") + len("</s>") + len("\n") - 3  # "</s>" is one token
    with_system = LocalModel(free).send(question()).usage.input_tokens
    assert LocalModel(strict).send(question()).usage.input_tokens == with_system - lost


def test_a_question_without_pictures_is_answered(checkpoints: dict[str, Path]) -> None:
    for folder in checkpoints.values():
        reply = LocalModel(folder).send(Request("", (Text("Hello"),), max_output_tokens=3))
        assert reply.usage.output_tokens == 3


def test_a_context_that_is_too_long_is_said_with_its_length(checkpoints: dict[str, Path]) -> None:
    with pytest.raises(ContextTooLongError, match=r"llava: the question has \d+ tokens.* 1024 "):
        LocalModel(checkpoints["llava"]).send(question("x" * tiny_vlm.CONTEXT))


def test_a_long_answer_gets_the_room_there_is(checkpoints: dict[str, Path]) -> None:
    words = "x" * (tiny_vlm.CONTEXT - 400)
    reply = LocalModel(checkpoints["llava"]).send(question(words, length=100_000))
    assert reply.usage.input_tokens + reply.usage.output_tokens == tiny_vlm.CONTEXT


def test_a_temperature_is_refused(checkpoints: dict[str, Path]) -> None:
    request = Request("", (Text("Hello"),), temperature=0.7)
    with pytest.raises(EndpointError, match=r"llava: temperature is 0.7, expected 0"):
        LocalModel(checkpoints["llava"]).send(request)


def test_the_identity_is_the_content(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    same = shutil.copytree(checkpoints["llava"], tmp_path / "llava")
    assert LocalModel(same).identity == LocalModel(checkpoints["llava"]).identity
    template = same / "chat_template.jinja"
    template.write_text(template.read_text() + " ")
    assert LocalModel(same).identity != LocalModel(checkpoints["llava"]).identity


def test_a_model_in_the_cache_is_known_by_its_commit(
    checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    store = tmp_path / "models--someone--tiny"
    shutil.copytree(checkpoints["llava"], store / "snapshots" / commit)
    (store / "refs").mkdir()
    (store / "refs" / "main").write_text(commit)
    _use_cache(monkeypatch, tmp_path)
    model = LocalModel("someone/tiny")
    assert model.name == "someone/tiny" and commit in model.identity
    assert model.send(question()).text == LocalModel(checkpoints["llava"]).send(question()).text


def test_what_is_not_here_is_not_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use_cache(monkeypatch, tmp_path)
    with pytest.raises(EndpointError) as caught:
        LocalModel("someone/other@v2")
    assert str(caught.value).endswith("download it first: hf download someone/other --revision v2")
    with pytest.raises(EndpointError, match="no such folder, expected a checkpoint's folder or"):
        LocalModel(str(tmp_path / "nowhere" / "at" / "all"))
    with pytest.raises(EndpointError, match=r"no config.json, expected a checkpoint's folder"):
        LocalModel(tmp_path)


def test_pickled_weights_are_not_read(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoints["llava"], tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(EndpointError, match=r"pickled: cannot be loaded .*model.safetensors"):
        LocalModel(folder).send(question())


def test_missing_weights_are_not_made_up(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(checkpoints["llava"], tmp_path / "part")
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "projector" not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EndpointError, match=r"no weights for .*projector"):
        LocalModel(folder).send(question())


def test_other_folders_are_refused_in_one_line(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    without = shutil.copytree(checkpoints["llava"], tmp_path / "without")
    (without / "chat_template.jinja").unlink()
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text(json.dumps({"model_type": "bert"}))
    code = shutil.copytree(checkpoints["llava"], tmp_path / "code")
    config = json.loads((code / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.MyConfig"}}
    (code / "config.json").write_text(json.dumps(config))
    (code / "mine.py").write_text("raise SystemExit('code of a checkpoint was run')")
    for folder, words in ((without, "no chat template"), (other, "cannot be"), (code, "cannot")):
        with pytest.raises(EndpointError, match=f"{folder.name}: {words}") as caught:
            LocalModel(folder).send(question())
        assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there_is_named(checkpoints: dict[str, Path]) -> None:
    with pytest.raises(EndpointError, match="device 'abacus' cannot be used"):
        LocalModel(checkpoints["llava"], device="abacus").send(question())


def test_marks_around_thinking_stay_though_they_are_special_tokens(tmp_path: Path) -> None:
    marks = ["<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|return|>"]
    tiny_vlm._save_tokenizer(tmp_path, ["<s>", "</s>", *marks])
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    text = (
        "<|channel|>analysis<|message|>It may be blur.<|end|><|start|>assistant"
        "<|channel|>final<|message|>It is noise.<|return|></s>"
    )
    said = tokenizer(text)["input_ids"]
    assert "analysis" in tokenizer.decode(said, skip_special_tokens=True)
    found = _text_of(tokenizer, said)
    assert found == text.removesuffix("<|return|></s>")
    assert final_answer(found) == "It is noise."


def _use_cache(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
