"""No reader falls over what is kept in the corpus, or over some hundred changed files."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from importlib.util import find_spec
from random import Random

import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if sys.platform != "linux":
    pytest.skip("limits of memory and time as Linux has them", allow_module_level=True)

from fuzz_base import CORPUS
from fuzz_mutations import changed_png
from fuzz_parent import fuzz
from fuzz_readers import READERS
from fuzz_worker import Finding, Job, Tally, input_of

from distortion_graph.base.errors import DistortionGraphError, RegionError, one_line
from distortion_graph.masks.rle import rle_from_runs, rle_from_text

THERE = [name for name, reader in READERS.items() if not reader.needs or find_spec(reader.needs)]
SEED = 1
PRINTED_BY_OLD_PILLOW = {"picture-avif": "Error parsing OBU data"}
"""What libavif in Pillow before 12.2 prints of damage; the answer is the same."""


@pytest.fixture(scope="module")
def answers() -> dict[str, list[Finding | Tally]]:
    """What became of every reader's inputs, all of them read by one other process."""
    found: dict[str, list[Finding | Tally]] = defaultdict(list)
    for answer in fuzz([Job(name, SEED, count=READERS[name].quick) for name in THERE]):
        found[answer.reader].append(answer)
    return found


@pytest.mark.parametrize("name", READERS)
def test_a_reader_answers_or_refuses_in_one_line(answers, name) -> None:
    if name not in THERE:
        pytest.skip(f"needs {READERS[name].needs}")
    findings = [answer for answer in answers[name] if isinstance(answer, Finding)]
    if name in PRINTED_BY_OLD_PILLOW and tuple(map(int, PIL.__version__.split(".")[:2])) < (12, 2):
        findings = [f for f in findings if PRINTED_BY_OLD_PILLOW[name] not in f.text]
    assert findings == []
    (tally,) = (answer for answer in answers[name] if isinstance(answer, Tally))
    assert tally.inputs == len(READERS[name].kept()) + READERS[name].quick
    assert tally.read > 0 or tally.refused > 0


@pytest.mark.parametrize("name", THERE)
def test_valid_files_of_the_corpus_are_read(name, tmp_path) -> None:
    """Else all inputs would be refused at the same place."""
    reader = READERS[name]

    def is_read(data: bytes) -> bool:
        try:
            reader.read(data, tmp_path)
        except DistortionGraphError:
            return False
        return True

    assert name in REFUSES_ALL or any(
        map(is_read, [*reader.seeds(), *(p.read_bytes() for p in reader.kept())])
    )


REFUSES_ALL = {"network-json"}
"""Its weights, of 50 MB, are not in the corpus: only what is said of them is read."""


def test_the_corpus_is_small() -> None:
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(sizes) < 300_000
    assert {path.name for path in CORPUS.iterdir()} <= set(READERS)


def test_an_input_is_made_again_from_its_number() -> None:
    reader = READERS["coco"]
    seeds = [path.read_bytes() for path in reader.kept()]
    made = [input_of(reader, seeds, 3, number) for number in range(200)]
    assert made == [input_of(reader, seeds, 3, number) for number in range(200)]
    assert len(set(made)) > 150 and made != [input_of(reader, seeds, 4, n) for n in range(200)]


def test_changed_pngs_mostly_have_right_sums() -> None:
    """Else nothing behind the sums would ever be read."""
    from distortion_graph.pictures.png_chunks import chunks

    seeds = [path.read_bytes() for path in READERS["picture-png"].kept()]
    right = 0
    for number in range(200):
        try:
            right += bool(list(chunks(changed_png(Random(number), seeds), check=True)))
        except Exception:
            continue
    assert right > 100


# ---- the watch itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        ("import os; os.kill(os.getpid(), 11)", "died"),
        ("import sys; print('said', file=sys.stderr)", "output"),
        ("import os; os.write(1, b'said')", "output"),
        ("import warnings; warnings.warn('said')", "warning"),
        ("bytearray(1 << 33)", "MemoryError"),
        ("raise KeyError('a')", "KeyError"),
        (
            "from distortion_graph.base.errors import DistortionGraphError as E; raise E('')",
            "refusal of",
        ),
    ],
)
def test_whatever_a_reader_does_wrong_is_found(harm, kind, tmp_path, monkeypatch) -> None:
    """A reader that runs its input as a program, in place of one that there is."""
    place = tmp_path / "input"
    place.write_text(harm)
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        f"sys.path.append({str(CORPUS.parent)!r})\n"
        "import fuzz_readers as f\n"
        "run = f.Reader('coco', lambda data, folder: exec(data), f.changed_bytes)\n"
        "f.READERS = {'coco': run}\n"
        "f.Reader.kept = lambda self: []\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    found = list(fuzz([Job("coco", only=(str(place),))]))
    assert isinstance(found[0], Finding) and found[0].kind.startswith(kind)
    if kind == "died":
        assert found[0].place == "SIGSEGV"


# ---- by hypothesis -----------------------------------------------------------------------------

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(counts=st.lists(st.integers(-2, 2**33) | st.integers(0, 40), max_size=12), size=SIZES)
def test_any_runs_are_a_mask_or_refused(counts, size) -> None:
    try:
        rle = rle_from_runs(counts, size, "m")
    except RegionError as error:
        assert sum(counts) != size[0] * size[1] or not all(0 <= c < 2**32 for c in counts)
        assert str(error).startswith("m: ")
        return
    assert rle.decode().sum() == sum(counts[1::2]) == rle.area()


@given(text=st.text(st.characters(min_codepoint=40, max_codepoint=120), max_size=20), size=SIZES)
def test_any_packed_runs_are_a_mask_or_refused(text, size) -> None:
    try:
        rle = rle_from_text(text, size, "m")
    except RegionError as error:
        assert str(error).startswith("m: ")
        return
    assert rle.decode().sum() == rle.area()


KEYS = sorted(
    {
        key
        for name in (
            "coco",
            "labelme",
            "label-studio",
            "geojson",
            "panoptic-json",
            "graph",
            "reply",
        )
        for path in READERS[name].kept()
        if path.suffix == ".json"
        for key in __import__("re").findall(r'"(\w+)":', path.read_text("utf-8"))
    }
)
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats()
    | st.sampled_from(KEYS)
    | st.text(max_size=4),
    lambda part: (
        st.lists(part, max_size=4) | st.dictionaries(st.sampled_from(KEYS), part, max_size=5)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", ["coco", "graph", "stats", "reply", "baseline", "vocabulary"])
@settings(max_examples=60)
@given(tree=TREES)
def test_any_tree_of_known_words_is_read_or_refused(name, tree, tmp_path_factory) -> None:
    reader = READERS[name]
    try:
        reader.read(json.dumps(tree).encode(), tmp_path_factory.getbasetemp())
    except reader.refusal as error:
        assert str(error).isprintable()


@given(st.text(max_size=50) | st.text(min_size=2500, max_size=2600))
def test_a_refusal_is_one_line_whatever_it_quotes(text) -> None:
    line = str(DistortionGraphError(f"a.png: {text}"))
    assert line.isprintable() and line.startswith("a.png: ") and len(line) < 2100
    assert one_line(line) == line
