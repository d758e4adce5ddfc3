"""A tiny language model with eyes takes a training step on the conversations, with TRL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny_vlm
from bench_roots import write_root

from distortion_graph.datasets.reader import PandaSet
from distortion_graph.mllm.ask.cues import parse_cues
from distortion_graph.mllm.client.local import LocalModel
from distortion_graph.mllm.sft.export import ExportOptions, export_sft
from distortion_graph.mllm.sft.plan import PlanOptions

for tool in ("datasets", "trl"):
    pytest.importorskip(tool, reason="needs the dev extra")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("training")
    plan = PlanOptions(splits=("test",), count=6, cues=(parse_cues("names"),))
    export_sft(PandaSet(write_root(place / "set")), place / "sft", ExportOptions(plan))
    return place / "sft"


def load(folder: Path, name: str) -> Any:
    """As docs/fine-tuning.md does it."""
    from datasets import Image, List, load_dataset  # type: ignore[attr-defined]

    def with_paths(entry: dict[str, Any]) -> dict[str, Any]:
        return {"images": [str(folder / path) for path in entry["images"]]}

    data = load_dataset("json", data_files=str(folder / name), split="train")
    return data.map(with_paths).cast_column("images", List(Image()))


def test_both_files_are_tables_of_one_type(folder: Path) -> None:
    from datasets import load_dataset  # type: ignore[attr-defined]

    for name in ("llava", "messages"):
        data = load_dataset("json", data_files=str(folder / f"{name}.jsonl"), split="train")
        assert len(data) == 6


def test_a_training_step_changes_the_weights(folder: Path, tmp_path: Path) -> None:
    import torch
    from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]

    checkpoint = tiny_vlm.save_checkpoint(tmp_path / "tiny", "llava")
    loaded = LocalModel(checkpoint, device="cpu")._loaded
    network, processor = loaded.network, loaded.processor
    before = {name: value.clone() for name, value in network.named_parameters()}
    settings = SFTConfig(
        output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2,
        learning_rate=1e-2, max_length=None, report_to=[], save_strategy="no", use_cpu=True,
        bf16=False, disable_tqdm=True,
    )  # fmt: skip
    trainer = SFTTrainer(
        model=network,
        args=settings,
        train_dataset=load(folder, "messages.jsonl"),
        processing_class=processor,
    )
    result = trainer.train()
    assert 0 < result.training_loss < 20
    changed = [n for n, v in network.named_parameters() if not torch.equal(v, before[n])]
    assert any("language_model" in name for name in changed)
    assert any("projector" in name for name in changed)
