"""`bench human` and `calibrate --human`: figures, maps of a model and of a network, refusals."""

from __future__ import annotations

import json
import shutil

import pytest
from opinion_samples import write_opinions
from optional import present

from distortion_graph.bench.human.manifest import maps_of
from distortion_graph.bench.human.results import HumanResult
from distortion_graph.measure import quality
from distortion_graph.predict.names import MANIFEST_FILE, MODEL_FILES
from distortion_graph.predict.registry import find_model
from distortion_graph.predict.session import Model


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A folder to work in, with a set in study/."""
    monkeypatch.chdir(tmp_path)
    return write_opinions(tmp_path / "study")


@pytest.fixture
def exported(study):
    """A copy of the shipped model in model/, without maps."""
    folder = study.parent / "model"
    folder.mkdir()
    for name in (*MODEL_FILES, MANIFEST_FILE):
        shutil.copyfile(find_model() / name, folder / name)
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    manifest.pop("opinion", None)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    return folder


def test_figures_are_shown_and_written(cli, study, exported, tmp_path):
    ended = cli("bench", "human", "study", "--layout", "csv", "--model", "model",
                "--json", "r.json", "--markdown", "r.md", "--latex", "r.tex")  # fmt: skip
    assert ended.code == 0, ended.err
    assert "study: agreement with people's opinion" in ended.out
    assert "18 pairs of 3 contents" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    result = HumanResult.model_validate_json((tmp_path / "r.json").read_text())
    # What other tests may have registered stands after them.
    assert list(result.overall.agreement)[:5] == ["score", "margin", "PSNR", "SSIM", "HaarPSI"]
    # More noise is a lower PSNR, whatever the picture.
    assert present(result.overall.agreement["PSNR"].srcc) > 0.95
    assert result.overall.agreement["PSNR"].accuracy == 1
    assert set(result.by_kind) == {"noise", "grain"}
    assert result.by_kind["grain"].pairs == 9
    assert "| noise | 9 |" in (tmp_path / "r.md").read_text()
    assert (tmp_path / "r.tex").read_text().count(r"\end{tabular}") == 3


def test_a_registered_metric_stands_beside_them(cli, study, tmp_path):
    quality.register_metric(
        quality.FullReferenceMetric(
            name="upside-down",
            version="1",
            range=(0.0, 1.0),
            direction="higher_is_better",
            licence="CC0-1.0",
            region_scores=lambda clean, other, masks: (
                1 - quality.region_scores(clean, other, masks)
            ),
            scene_score=lambda clean, other: 1 - quality.scene_score(clean, other),
            pooling="HaarPSI's",
        )
    )
    assert cli("bench", "human", "study", "--layout", "csv", "--json", "r.json", "-q").code == 0
    found = json.loads((tmp_path / "r.json").read_text())["overall"]["agreement"]
    assert found["upside-down"]["srcc"] == pytest.approx(-found["HaarPSI"]["srcc"])


def test_a_higher_score_may_be_worse(cli, study, tmp_path):
    for higher in ("better", "worse"):
        ended = cli("bench", "human", "study", "--layout", "csv", "--higher-is", higher, "-q",
                    "--json", f"{higher}.json")  # fmt: skip
        assert ended.code == 0
    better, worse = (
        json.loads((tmp_path / f"{name}.json").read_text())["overall"]["agreement"]["PSNR"]["srcc"]
        for name in ("better", "worse")
    )
    assert worse == pytest.approx(-better)


def test_a_data_set_of_that_name_is_reached_by_its_path(cli, study):
    (study.parent / "human").mkdir()
    assert cli("bench", "human").refusal.startswith("Missing argument 'FOLDER'")
    assert "human: " in cli("bench", "./human").refusal
    assert "dataset.md" in cli("bench", "nowhere").refusal


def test_maps_go_into_an_exported_model(cli, study, exported, tmp_path):
    ended = cli("calibrate", "model", "--out", "judged", "--human", "study", "--layout", "csv")
    assert ended.code == 0, ended.err
    assert "18 pairs of 3 contents" in ended.out and "SRCC gained: " in ended.out
    before, after = (
        json.loads((tmp_path / name / MANIFEST_FILE).read_text()) for name in ("model", "judged")
    )
    maps = after.pop("opinion")
    assert before == after
    assert set(maps) == {"common", "by_distortion"}
    labels = set(after["vocabulary"]["distortions"])
    assert maps["by_distortion"] and set(maps["by_distortion"]) <= labels
    for points in (maps["common"], *maps["by_distortion"].values()):
        assert points == sorted(points) and all(0 <= x <= 1 for point in points for x in point)
    model = Model.load(tmp_path / "judged")
    assert present(maps_of(model)).model_dump(mode="json") == maps
    assert maps_of(Model.load(tmp_path / "model")) is None
    ended = cli("bench", "human", "study", "--layout", "csv", "--model", "judged", "-q",
                "--json", "r.json")  # fmt: skip
    assert ended.code == 0
    found = json.loads((tmp_path / "r.json").read_text())["overall"]["agreement"]
    assert list(found)[:3] == ["score", "margin", "opinion"]
    assert found["opinion"]["srcc"] >= found["score"]["srcc"]


def test_a_model_may_be_given_maps_where_it_is(cli, study, exported):
    networks = [(exported / name).stat().st_mtime_ns for name in MODEL_FILES]
    for _ in range(2):
        ended = cli("calibrate", "model", "--out", "model", "--human", "study", "--layout", "csv")
        assert ended.code == 0, ended.err
    assert [(exported / name).stat().st_mtime_ns for name in MODEL_FILES] == networks
    assert maps_of(Model.load(exported)) is not None


def test_maps_stay_with_a_network_until_its_export(cli, study, tmp_path):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    for needed in ("accelerate", "yaml", "onnx"):
        pytest.importorskip(needed, reason="needs the train extra")
    from distortion_graph.model.config import NetworkConfig
    from distortion_graph.model.network import DistortionGraphNet
    from distortion_graph.training.checkpoint import save_network

    torch.manual_seed(0)
    network = DistortionGraphNet(NetworkConfig(width=32, layers=1, heads=2))
    save_network(tmp_path / "net", network, network.state_dict())
    ended = cli("calibrate", "net", "--out", "judged", "--human", "study", "--layout", "csv")
    assert ended.code == 0, ended.err
    weights = "network.safetensors"
    assert (tmp_path / "judged" / weights).read_bytes() == (tmp_path / "net" / weights).read_bytes()
    kept = json.loads((tmp_path / "judged" / "opinion.json").read_text())
    assert cli("export", "judged", "--out", "model").code == 0
    assert json.loads((tmp_path / "model" / MANIFEST_FILE).read_text())["opinion"] == kept
    plain = cli("export", "net", "--out", "plain", "--quiet")
    assert (plain.code, plain.out) == (0, "")
    assert "opinion" not in json.loads((tmp_path / "plain" / MANIFEST_FILE).read_text())
    (tmp_path / "judged" / "opinion.json").write_text('{"common": []}')
    refusal = cli("export", "judged", "--out", "other").refusal
    assert refusal.startswith("judged/opinion.json: common: ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("bench human nowhere --layout csv", "nowhere: is not a folder, expected one of the layou"),
        ("bench human study", "Missing option '--layout'"),
        ("bench human study --layout tid", "Invalid value for '--layout': 'tid'"),
        (
            "bench human study --layout kadid10k",
            "study/dmos.csv: cannot be read (No such file or directory); expected a table with",
        ),
        (
            "bench human study --layout tid2013 --higher-is worse",
            "--higher-is is for --layout csv; tid2013 says itself what its scores",
        ),
        ("bench human study --layout csv --model nix", "nix: no model there, expected a folder"),
        ("bench human study --layout csv --json no/r.json", "no/r.json: the folder "),
        ("calibrate model --out o --human study", "--human needs --layout, which"),
        (
            "calibrate model --out o --layout csv",
            "--layout and --higher-is are for --human FOLDER; name one",
        ),
        (
            "calibrate model --out o --human study --layout csv --labelled lab",
            "--human fits opinions alone; leave out what is not for it",
        ),
        ("calibrate nix --out o --human study --layout csv", "nix: not a readable network folder"),
    ],
)
def test_a_mistake_is_one_line(cli, exported, arguments, line):
    assert cli(*arguments.split()).refusal.startswith(line)


@pytest.mark.parametrize(
    ("maps", "line"),
    [
        ({"common": [[0.5, 0.5]]}, None),
        ({"common": [[0.5, 0.5], [0.4, 0.6]], "by_distortion": {}}, "common: [0.4, 0.6] after"),
        ({"common": [[0.5, 0.5]], "by_distortion": {"fog": [[0.1, 0.1]]}}, "'fog'"),
        ({"comon": [[0.5, 0.5]]}, "did you mean 'common'?"),
    ],
)
def test_maps_of_a_manifest_are_checked(cli, exported, maps, line):
    path = exported / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"opinion": maps}))
    ended = cli("bench", "human", "study", "--layout", "csv", "--model", "model", "-q")
    if line is None:
        assert ended.code == 0
        return
    assert line in ended.refusal and ended.refusal.startswith(f"model/{MANIFEST_FILE}")
