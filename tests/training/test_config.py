"""Settings: read strictly from YAML and options, written in full, compared key by key."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("yaml", reason="needs the train extra")

from hypothesis import given, settings
from hypothesis import strategies as st

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.training.config import (
    BudgetConfig,
    IntervalConfig,
    OptimiserConfig,
    ScheduleConfig,
    TrainingConfig,
)
from distortion_graph.training.config_files import (
    Override,
    changed,
    parse_setting,
    plain,
    read_config,
    to_yaml,
)

WORKED = """
model: lite0
seed: 3
data:
  labelled: [labelled]
  held_out: held_out.json
optimiser: {learning_rate: 1e-3, accumulation: 2}
network: {width: 64}
losses: {score: 2}
sampling:
  crops: [[64, 8], [96, 4]]
recipe: {clean_share: 0.5}
budget: {minutes: 5}
precision: fp32
"""


def written(folder, text):
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def test_a_file_says_what_differs_from_the_defaults(tmp_path):
    config = read_config(written(tmp_path, WORKED))
    assert config.data.labelled == (Path("labelled"),)
    assert (config.optimiser.learning_rate, config.optimiser.accumulation) == (0.001, 2)
    assert (config.network.width, config.losses.score, config.seed) == (64, 2.0, 3)
    assert config.sampling.crops == ((64, 8), (96, 4))
    assert config.recipe.clean_share == 0.5
    defaults = TrainingConfig()
    assert config.network.layers == defaults.network.layers
    assert config.evaluation == defaults.evaluation


def test_the_pages_worked_example_is_the_defaults(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")
    text = page.split("```yaml\n")[1].split("```")[0]
    config, defaults = read_config(written(tmp_path, text)), TrainingConfig()
    own = ("data.labelled", "data.pictures", "data.held_out", "budget.minutes")
    assert changed(plain(defaults), plain(config), may=own) == []


def test_options_win_over_the_file_and_the_last_one_over_others(tmp_path):
    path = written(tmp_path, WORKED)
    given = [
        parse_setting("optimiser.learning_rate=5e-4"),
        parse_setting("sampling.crops=[[32, 1]]"),
        Override("budget.minutes", 7.0, "--minutes"),
        parse_setting("budget.minutes=9"),
        parse_setting("data.held_out=null"),
    ]
    config = read_config(path, given)
    assert config.optimiser.learning_rate == 0.0005
    assert config.sampling.crops == ((32, 1),)
    assert (config.budget.minutes, config.data.held_out) == (9.0, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "sed: 3",
            "run.yaml: unknown key 'sed', expected only model, seed, .*; did you mean 'seed'",
        ),
        (
            "optimiser: {learning_rat: 1}",
            "'optimiser.learning_rat', .* did you mean 'learning_rate'",
        ),
        ("network: {widht: 3}", "unknown key 'network.widht', .*did you mean 'width'"),
        ("network: {vocabulary: x}", "unknown key 'network.vocabulary'"),
        ("losses: {skore: 3}", "unknown key 'losses.skore', .*did you mean 'score'"),
        ("recipe: {cleanshare: 3}", "unknown key 'recipe.cleanshare', .*'clean_share'"),
        ("seed: three", "run.yaml: seed: expected a valid integer, found 'three'"),
        ('seed: "3"', "seed: expected a valid integer, found '3'"),
        ("seed: true", "seed: expected a valid integer, found True"),
        ("optimiser: {learning_rate: fast}", "optimiser.learning_rate: expected a valid number"),
        ("optimiser: 3", "run.yaml: optimiser: expected keys and values, found 3"),
        ("data: {labelled: one}", "data.labelled: expected a list, found 'one'"),
        ("sampling: {crops: [[64, x]]}", r"sampling.crops\[0\]\[1\]: expected a valid integer"),
        ("precision: fp16", "precision: expected 'auto', 'bf16' or 'fp32', found 'fp16'"),
        ("model: lite1", "run.yaml: unknown model 'lite1', expected .*did you mean 'lite0'"),
        ("optimiser: {learning_rate: -1}", "run.yaml: optimiser.learning_rate must be .* above 0"),
        ("optimiser: {learning_rate: .nan}", "optimiser.learning_rate must be .* above 0, got nan"),
        ("budget: {steps: 0}", "run.yaml: budget.steps must be at least 1, got 0"),
        ("saving: {every_minutes: -1}", "run.yaml: saving.every_minutes must be at least 0"),
        (
            "evaluation: {splits: [hard]}",
            "evaluation.splits is called evaluation.pairs now; rename it",
        ),
        ("evaluation: {pairs: [easi]}", "evaluation.pairs has 'easi', expected .* easy, medium"),
        ("data: {root: r, pictures: [p]}", "data.root is a whole data set"),
        ("recipe: {vocabulary: nix.json}", "nix.json: cannot be read"),
        ("recipe: {vocabulary: {distortions: [a]}}", "recipe.vocabulary: Field required"),
        ("recipe: {clean_share: 2}", "clean_share must be in"),
        ("seed: 1\nseed: 2", "run.yaml: line 2: not YAML .the key 'seed' stands there twice"),
        ("seed: [1", "run.yaml: line 1: not YAML"),
        ("- 1", "run.yaml: expected keys and values, found list"),
    ],
)
def test_mistakes_are_one_line_with_file_and_key(tmp_path, text, words):
    with pytest.raises(DistortionGraphError, match=words) as caught:
        read_config(written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("seed", "--set seed: expected KEY=VALUE, such as budget.steps=500"),
        ("sed=1", "--set sed=1: unknown key 'sed', .* did you mean 'seed'"),
        ("budget.step=1", "--set budget.step=1: unknown key 'budget.step'"),
        ("seed=x", "--set seed=x: seed: expected a valid integer, found 'x'"),
        ("budget.steps=0", "--set budget.steps=0: budget.steps must be at least 1, got 0"),
    ],
)
def test_a_wrong_option_is_named_and_not_the_file(tmp_path, setting, words):
    with pytest.raises(DistortionGraphError, match=words):
        read_config(written(tmp_path, WORKED), [parse_setting(setting)])


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DistortionGraphError, match=r"nix\.yaml: cannot be read"):
        read_config(tmp_path / "nix.yaml")


def test_a_vocabulary_from_a_file_is_the_networks_too(tmp_path):
    words = DEFAULT_VOCABULARY.model_copy(update={"distortions": ("clean", "blur", "noise")})
    (tmp_path / "words.json").write_text(words.model_dump_json())
    text = f"recipe: {{vocabulary: {json.dumps(str(tmp_path / 'words.json'))}}}"
    config = read_config(written(tmp_path, text))
    assert config.recipe.vocabulary == words == config.network.vocabulary
    # The settings that are saved hold the vocabulary itself.
    (tmp_path / "words.json").unlink()
    assert read_config(written(tmp_path, to_yaml(config))) == config


@settings(max_examples=20)
@given(
    st.floats(1e-12, 1e6),
    st.integers(0, 2**63 - 1),
    st.none() | st.integers(1, 10**9),
    st.sampled_from(["bf16", "fp32"]),
)
def test_what_is_written_is_read_back(tmp_path_factory, rate, seed, steps, precision):
    config = TrainingConfig(
        seed=seed,
        precision=precision,
        optimiser=OptimiserConfig(learning_rate=rate),
        budget=BudgetConfig(steps=steps),
    )
    path = tmp_path_factory.mktemp("yaml") / "run.yaml"
    path.write_text(to_yaml(config))
    assert read_config(path) == config
    assert json.loads(json.dumps(plain(config))) == plain(config)


def test_differences_are_named_by_their_keys():
    before, now = plain(TrainingConfig()), plain(TrainingConfig(seed=2, precision="fp32"))
    assert changed(before, before) == []
    assert changed(before, now) == ["seed is 2, was 0", "precision is 'fp32', was 'auto'"]
    assert changed(before, now, may=("seed",)) == ["precision is 'fp32', was 'auto'"]


def test_a_budget_ends_with_what_is_used_up_first():
    assert BudgetConfig().used(1800, 10**9) == 0.5  # an hour, where nothing is said
    assert BudgetConfig(minutes=1).used(30, 5) == 0.5
    assert BudgetConfig(steps=10).used(1e9, 5) == 0.5
    assert BudgetConfig(minutes=1, steps=10).used(30, 9) == 0.9


def test_the_learning_rate_rises_falls_and_ends_at_its_floor():
    config = TrainingConfig(
        optimiser=OptimiserConfig(learning_rate=1.0),
        schedule=ScheduleConfig(warmup_steps=4, floor=0.1),
    )
    assert [config.rate(k, 0.0) for k in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert config.rate(99, 0.5) == pytest.approx(0.1 + 0.9 / 2)
    assert config.rate(99, 1.0) == config.rate(99, 1.5) == pytest.approx(0.1)
    level = TrainingConfig(schedule=ScheduleConfig(kind="constant", warmup_steps=1))
    assert level.rate(9, 0.9) == level.optimiser.learning_rate
    fresh = TrainingConfig()
    chained = TrainingConfig(start_from=Path("runs/first/best"))
    assert (fresh.warmup_steps, chained.warmup_steps) == (200, 50)


def test_a_network_is_as_the_one_it_starts_from_but_for_what_is_given(tmp_path):
    (tmp_path / "net").mkdir()
    facts = {"width": 32, "layers": 2, "heads": 4, "dropout": 0.25, "also": True}
    (tmp_path / "net/network.json").write_text(json.dumps(facts | {"vocabulary": {}}))
    text = f"start_from: {tmp_path / 'net'}\nnetwork: {{layers: 3}}\n"
    network = read_config(written(tmp_path, text)).network
    assert (network.width, network.layers, network.dropout, network.also) == (32, 3, 0.25, True)
    assert network.vocabulary == DEFAULT_VOCABULARY and not network.reference
    whole = read_config(written(tmp_path, text + "start_partly: true\n")).network
    assert (whole.width, whole.layers, whole.also) == (TrainingConfig().network.width, 3, False)


def test_impossible_values_are_refused():
    for wrong in (math.nan, math.inf, 0.0, -1.0):
        with pytest.raises(DistortionGraphError, match=r"budget\.minutes must be a number above 0"):
            BudgetConfig(minutes=wrong)
    for wrong in (-1, 2**63):
        with pytest.raises(DistortionGraphError, match="seed must be"):
            TrainingConfig(seed=wrong)
    with pytest.raises(DistortionGraphError, match="every_steps must be at least 1"):
        IntervalConfig(every_steps=0)
    with pytest.raises(DistortionGraphError, match="ema_decay must be at least 0 and below 1"):
        OptimiserConfig(ema_decay=1.0)
    with pytest.raises(DistortionGraphError, match=r"schedule.floor must be in \[0, 1\]"):
        ScheduleConfig(floor=math.nan)
