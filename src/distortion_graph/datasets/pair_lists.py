"""Which pairs are looked at: the easy, medium and hard lists, all pairs, and their index file.

The index is JSON, `{"easy": [[anchor, target, tag], …], "medium": […]}`, or, as it was published,
Python text with nothing in it but `easy = [("blur", "noise", "x.png"), …]`. The latter is read as
data: it is never run or imported.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple, get_args

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.layout import PairKey, check_tag
from distortion_graph.synth.keys import generator
from distortion_graph.synth.pairs import draw_versions
from distortion_graph.synth.synthesis import MIXED

Pairs = Literal["easy", "medium", "hard", "all"]
"""Easy: two single types. Medium: one mixed. Hard: both mixed, both orders. All: every pair."""

PAIRS: tuple[str, ...] = get_args(Pairs)

PAIRS_PER_LIST = 300
"""Number of pairs on the easy and on the medium list."""

_DEEPEST = 3
_SIGNS = ("[", "]", "(", ")", ",", "=")
_SPACE_TOKENS = (
    tokenize.ENCODING,
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.ENDMARKER,
)
_EXPECTED = 'expected only lines such as easy = [("blur", "noise", "x.png"), …]'


def draw_list(
    pairs: Literal["easy", "medium"],
    stems: Sequence[str],
    types: Sequence[str],
    *,
    seed: int = 0,
    count: int = PAIRS_PER_LIST,
) -> list[PairKey]:
    """`count` draws of two versions and a picture; a draw depends on `seed` and what is drawn from.

    `stems` are what `PairKey.tag` is drawn from, in an order that the caller keeps. Raises
    DatasetError where there is no picture, RecipeError for fewer than two `types`.
    """
    if not stems:
        raise DatasetError(f"no picture to draw {pairs} pairs of")
    rng = generator(seed, "list", pairs)
    keys = []
    for _ in range(count):
        tag = stems[int(rng.integers(len(stems)))]
        keys.append(PairKey(*draw_versions(pairs, types, rng), tag))
    return keys


def draw_lists(tags: Sequence[str], types: Sequence[str], *, seed: int) -> dict[str, list[PairKey]]:
    """The easy and the medium list over pictures, whatever the order and the suffix of their tags.

    Raises DatasetError and RecipeError as `draw_list` does.
    """
    ordered = sorted(tags, key=lambda tag: (PurePosixPath(tag).stem, tag))
    return {
        "easy": draw_list("easy", ordered, types, seed=seed),
        "medium": draw_list("medium", ordered, types, seed=seed),
    }


def hard_pairs(tags: Iterable[str]) -> list[PairKey]:
    """Both orders of every picture's two mixed versions."""
    first, second = MIXED
    return [key for t in tags for key in (PairKey(first, second, t), PairKey(second, first, t))]


def all_pairs(tags: Iterable[str], versions: Sequence[str]) -> list[PairKey]:
    """All ordered pairs of different versions of every picture."""
    return [PairKey(*names, tag) for tag in tags for names in permutations(versions, 2)]


def index_text(lists: Mapping[str, Sequence[PairKey]]) -> str:
    """The lists as JSON, in the form of the published index."""
    value = {name: [list(key) for key in keys] for name, keys in lists.items()}
    return json.dumps(value, ensure_ascii=False) + "\n"


class IndexLimits(NamedTuple):
    """The largest index that is read, in bytes: as JSON, and as Python text, whose syntax tree
    takes a hundred times as much memory.
    """

    json: int = 64 << 20
    text: int = 8 << 20


INDEX_LIMITS = IndexLimits()


def read_index(path: Path, limits: IndexLimits = INDEX_LIMITS) -> dict[str, list[PairKey]]:
    """The lists of an index file by name: JSON, or Python text of plain assignments.

    Names of versions and pictures are checked to be plain file names. Raises DatasetError, with
    the line in the file where it can be told, for anything that is not such a list, too large or
    nested too deeply.
    """
    text = _read(path, limits.json)
    # The published Python text begins with a name or a comment.
    if text.lstrip()[:1] in ("{", "["):
        return _checked(_from_json(text, path), path)
    if len(text) > limits.text:
        raise DatasetError(
            f"{path}: Python text of more than {limits.text >> 20} MiB; write it as JSON"
        )
    return _checked(_from_python(text, path), path)


class _Found(NamedTuple):
    """A list as it stands in a file, with the words that begin an error about its entries."""

    value: Any
    where: str


def _read(path: Path, most_bytes: int) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(most_bytes + 1)
    except FileNotFoundError as e:
        raise DatasetError(f"{path}: no such file, expected an index of pairs") from e
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror}), expected an index") from e
    if len(data) > most_bytes:
        raise DatasetError(f"{path}: more than {most_bytes >> 20} MiB, expected an index")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise DatasetError(f"{path}: not UTF-8 text at byte {e.start}, expected an index") from e


def _from_json(text: str, path: Path) -> dict[str, _Found]:
    def once(entries: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in entries]
        if len(set(names)) != len(names):
            raise DatasetError(f"{path}: a list stands there twice, expected each name once")
        return dict(entries)

    try:
        value = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as e:
        raise DatasetError(f"{path}: line {e.lineno}: not JSON ({e.msg})") from e
    except RecursionError as e:
        raise DatasetError(f"{path}: nested too deeply, expected lists of pairs") from e
    except DatasetError:
        raise
    except ValueError as e:  # such as a number of too many digits
        raise DatasetError(f"{path}: not JSON ({e})") from e
    if not isinstance(value, dict):
        raise DatasetError(f'{path}: expected an object {{"easy": […]}}, got a list')
    return {name: _Found(entries, f"{path}: {name:.40}") for name, entries in value.items()}


def _from_python(text: str, path: Path) -> dict[str, _Found]:
    """Lists of plain assignments. The text is parsed only when its tokens cannot be more."""
    try:
        _check_tokens(text, path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of "a\png", of which nobody knows what it means
            tree = ast.parse(text, str(path))
    except DatasetError:
        raise
    except (SyntaxError, tokenize.TokenError) as e:
        line = e.lineno if isinstance(e, SyntaxError) else e.args[1][0]
        reason = e.msg if isinstance(e, SyntaxError) else e.args[0]
        raise DatasetError(f"{path}: line {line}: {reason}; {_EXPECTED}") from e
    except (ValueError, MemoryError, RecursionError) as e:
        raise DatasetError(f"{path}: cannot be read as data ({e}); {_EXPECTED}") from e
    lists: dict[str, _Found] = {}
    for statement in tree.body:
        where = f"{path}: line {statement.lineno}"
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if not isinstance(statement, ast.Assign) or len(targets) != 1:
            raise DatasetError(f"{where}: {type(statement).__name__} found, {_EXPECTED}")
        target = targets[0]
        if not isinstance(target, ast.Name):
            raise DatasetError(f"{where}: no plain name before the `=`, {_EXPECTED}")
        if target.id in lists:
            raise DatasetError(f"{where}: {target.id!r} is there twice, expected each name once")
        lists[target.id] = _Found(_literal(statement.value, path), f"{where}: {target.id:.40}")
    return lists


def _check_tokens(text: str, path: Path) -> None:
    """Refuse all but `name = …` of text, brackets and commas, and deep nesting, before parsing.

    So the parser meets nothing that could exhaust it, and the refusal names the line.
    """
    depth, starts = 0, True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        depth += (token.string in ("[", "(")) - (token.string in ("]", ")"))
        known = token.type in _SPACE_TOKENS or token.type == tokenize.STRING
        known = known or (token.type == tokenize.OP and token.string in _SIGNS)
        if token.type == tokenize.NAME:
            known = starts  # elsewhere only text may stand
        if not known or depth > _DEEPEST:
            what = "nested too deeply" if known else f"{token.string!r:.40} found"
            raise DatasetError(f"{path}: line {token.start[0]}: {what}, {_EXPECTED}")
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            starts = token.type in (tokenize.NEWLINE, tokenize.ENCODING)


def _literal(node: ast.expr, path: Path) -> Any:
    for part in ast.walk(node):
        text = isinstance(part, ast.Constant) and isinstance(part.value, str)
        if not text and not isinstance(part, ast.List | ast.Tuple | ast.Load):
            line = getattr(part, "lineno", node.lineno)
            kind = type(part).__name__
            raise DatasetError(f"{path}: line {line}: {kind} found, {_EXPECTED}")
    return ast.literal_eval(node)


def _checked(lists: Mapping[str, _Found], path: Path) -> dict[str, list[PairKey]]:
    if not lists:
        raise DatasetError(f"{path}: holds no list, expected `easy` and `medium`")
    return {name: _keys(listed) for name, listed in lists.items()}


def _keys(listed: _Found) -> list[PairKey]:
    if not isinstance(listed.value, list | tuple):
        raise DatasetError(
            f"{listed.where}: expected a list of [anchor version, target version, picture], got "
            f"{type(listed.value).__name__}"
        )
    return [_key(entry, f"{listed.where}: entry {k}") for k, entry in enumerate(listed.value)]


def _key(entry: Any, where: str) -> PairKey:
    if not isinstance(entry, list | tuple) or len(entry) != 3:
        raise DatasetError(
            f"{where}: {entry!r:.80} found, expected [anchor version, target version, picture]"
        )
    for version in entry[:2]:
        try:  # a folder's name, which must not lead out of the root either
            check_tag(version, where)
        except DatasetError as e:
            raise DatasetError(f"{where}: {version!r:.80} is no name of a version") from e
    return PairKey(entry[0], entry[1], check_tag(entry[2], where))
