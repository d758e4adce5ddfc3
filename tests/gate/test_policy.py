"""Policies: what they say, for which pairs, and what is refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from distortion_graph.base.errors import PolicyError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.gate.policy_files import load_policy, policy_of


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"los": {"scene": 1}}, "unknown key 'los', expected only"),
        ({"los": {"scene": 1}}, "did you mean 'loss'?"),
        ({"loss": {"regio": 0.1}}, "loss: unknown key 'regio'"),
        ({"folders": {"a/*": {"loss": {"regio": 1}}}}, "did you mean 'region'?"),
        ({"loss": {"region": "much"}}, "loss.region: expected a valid number, found 'much'"),
        ({"loss": {"region": 1.5}}, "loss.region: expected less than or equal to 1"),
        ({"comparison": {"probability": True}}, "comparison.probability: expected a valid number"),
        ({"distortions": {"forbidden": "blur"}}, "distortions.forbidden: expected a list"),
        (
            {"distortions": {"forbidden": ["blur"], "allowed": []}},
            "forbidden and allowed exclude each other",
        ),
        ({"differs": {"outside": {"boxes": [[1, 2, 3]]}}}, "differs.outside.boxes[0]: expected"),
        ({"ignore": {"antialiasing": True}, "differs": {}}, "'edges' or 'text', found True"),
        ({"compare": {"align": "auto"}, "differs": {}}, "compare.align is 'auto'"),
        ({"compare": {"regions": "grid:2x2"}}, "no rule, expected at least one of comparison"),
        ([], "found list, expected keys and values"),
    ],
)
def test_what_is_no_policy_is_refused_in_one_line_that_names_the_key(tree: Any, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        policy_of(tree, "gate.yml")
    line = str(refused.value)
    assert line.startswith("gate.yml: ") and said in line and "\n" not in line


@pytest.mark.parametrize(
    "harm",
    ["object/apply:pathlib.Path.mkdir", "object/new:pathlib.Path.mkdir", "name:os.system"],
)
def test_yaml_that_would_make_objects_is_refused_and_runs_nothing(tmp_path, harm):
    made, file = tmp_path / "made", tmp_path / "gate.yml"
    path = f"!!python/object/apply:pathlib.Path [{str(made)!r}]"
    for text in (f"differs: !!python/{harm} [{path}]", f"? !!python/{harm} [{path}]\n: 1"):
        file.write_text(text)
        with pytest.raises(PolicyError, match=r"line 1: not YAML \(could not determine a constr"):
            load_policy(file)
    assert not made.exists()


def test_yaml_that_is_none_and_keys_that_stand_twice_are_refused_with_their_line(tmp_path):
    file = tmp_path / "gate.yml"
    for text, said in (("loss: [", "line "), ("loss: {}\nloss: {}", "line 2"), ("a: \t- b", "not")):
        file.write_text(text)
        with pytest.raises(PolicyError, match=f"gate.yml: .*{said}"):
            load_policy(file)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "no.yml")


def test_a_folder_changes_keys_and_keeps_the_others_and_later_globs_win():
    policy = policy_of(
        {
            "comparison": {"probability": 0.8},
            "loss": {"region": 0.1, "scene": 0.05},
            "folders": {
                "thumbs/*": {"loss": {"region": 0.3}, "comparison": None},
                "thumbs/tiny/*": {"loss": {"region": 0.5}},
            },
        }
    )
    plain, thumb, tiny = map(policy.rules_of, ("a.png", "thumbs/a.png", "thumbs/tiny/a.png"))
    assert plain.loss and (plain.loss.region, plain.loss.scene) == (0.1, 0.05)
    assert plain.comparison and plain.comparison.worst == "slightly_worse"
    assert thumb.loss and (thumb.loss.region, thumb.loss.scene) == (0.3, 0.05)
    assert thumb.comparison is None and tiny.comparison is None
    assert tiny.loss and (tiny.loss.region, tiny.loss.scene) == (0.5, 0.05)


def test_globs_that_exclude_each_other_on_one_pair_are_told():
    policy = policy_of(
        {
            "folders": {
                "a*": {"distortions": {"forbidden": ["blur"]}},
                "*b": {"distortions": {"allowed": ["haze"]}},
            }
        }
    )
    assert policy.rules_of("ax").distortions and policy.rules_of("xb").distortions
    with pytest.raises(PolicyError, match=r"folders 'a\*' and '\*b', which fit ab: .*exclude"):
        policy.rules_of("ab")


def test_labels_are_those_of_the_vocabulary_and_comparisons_not_above_same():
    for tree, said in (
        ({"comparison": {"worst": "slightly_wors"}}, "did you mean 'slightly_worse'"),
        ({"comparison": {"worst": "slightly_better"}}, "expected one of significantly_worse"),
        ({"distortions": {"forbidden": ["blurr"]}}, "did you mean 'blur'"),
        ({"loss": {"scene": 1}, "folders": {"a": {"distortions": {"allowed": ["x"]}}}}, "'x'"),
    ):
        with pytest.raises(ValueError, match=said):
            policy_of(tree).check_labels(DEFAULT_VOCABULARY)


def test_files_of_a_policy_count_from_its_own_folder(tmp_path):
    (tmp_path / "regions.json").write_text("[]")
    (tmp_path / "gate.yml").write_text(
        "compare: {regions: regions.json}\nignore: {masks: [m.png]}\n"
        "folders: {'a/*': {ignore: {masks: [n.png]}}}\nbaseline: {file: base.json}\n"
    )
    policy = load_policy(tmp_path / "gate.yml")
    assert policy.compare.regions == str(tmp_path / "regions.json")
    assert policy.ignore.masks == (str(tmp_path / "m.png"),)
    assert policy.rules_of("a/b").ignore.masks == (str(tmp_path / "n.png"),)
    assert policy.baseline and policy.baseline.file == str(tmp_path / "base.json")
