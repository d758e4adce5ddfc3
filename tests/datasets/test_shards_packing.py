"""Packing and unpacking: nothing changes, nothing leaves its folder, damage is found."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import shutil
import tarfile
from urllib.parse import unquote

import pytest
from optional import present
from shard_roots import TAGS, VERSIONS, files_of, make_root

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.datasets.layout import stats_path
from distortion_graph.datasets.shards import contents, hashed, pack, unpack
from distortion_graph.datasets.stats import read_stats


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_root(tmp_path_factory.mktemp("data") / "root")


@pytest.fixture(scope="module")
def shards(root):
    folder = root.parent / "shards"
    pack(root, folder, shard_bytes=60_000)
    return folder


def refusal(kind, function, *arguments, **options):
    with pytest.raises(kind) as caught:
        function(*arguments, **options)
    return str(caught.value)


def test_a_built_root_comes_back_to_the_byte(root, shards, tmp_path):
    report = unpack(shards, tmp_path / "back")
    assert files_of(tmp_path / "back") == files_of(root)
    assert (tmp_path / "back" / "depth").is_dir()
    assert (report.pictures, report.files) == (6, 6 * 17)
    assert [p.name for p in tmp_path.iterdir()] == ["back"]


def test_a_published_root_comes_back_with_all_values(tmp_path):
    root = make_root(tmp_path / "root", versions=("blur", "mixed", "mixed2"), form="published")
    path = stats_path(root, "test", "mixed")
    value = json.loads(path.read_text())
    # What the published files hold beside the plain case, and what is none of its forms.
    first, second = value["d.png"]["regions"][:2]
    first |= {"segmentation_mask": None, "bbox": None, "extra": {"nested": [1.5]}}
    second["segmentation_mask"]["counts"] = [0, 0, 600, 0]  # the same mask in more runs
    value["d.png"]["regions"][2]["segmentation_mask"] = {"size": [20, 30], "counts": "damaged"}
    value["e"]["regions"][0]["segmentation_mask"]["counts"] = [-3, 603]
    value["e"]["regions"][1]["segmentation_mask"]["counts"] = [2**80]
    value["e"]["relations"] = []
    path.write_text(json.dumps(dict(reversed(value.items()))))  # in an order of its own
    other = stats_path(root, "test", "blur")
    fewer = json.loads(other.read_text())
    del fewer["e"]
    other.write_text(json.dumps(fewer))
    pack(root, tmp_path / "shards")
    unpack(tmp_path / "shards", tmp_path / "back")
    before, after = files_of(root), files_of(tmp_path / "back")
    assert before.keys() - after.keys() == {"blur/test/e"}  # of which its stats know nothing
    for name in after:
        if name.startswith("stats/"):
            assert json.loads(after[name]) == json.loads(before[name])
        else:
            assert after[name] == before[name]


def test_the_same_root_gives_the_same_shards(root, shards, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    pack(tmp_path / "copy", tmp_path / "again", shard_bytes=60_000)
    assert files_of(tmp_path / "again") == files_of(shards)


def test_members_are_plain_and_named_by_key(shards):
    tags: dict[str, list[str]] = {split: [] for split in TAGS}
    for path in sorted(shards.glob("*.tar")):
        with tarfile.open(path) as tar:
            members = tar.getmembers()
        for member in members:
            assert member.isreg()
            facts = (member.mtime, member.mode, member.uid, member.gid, member.uname, member.gname)
            assert facts == (0, 0o644, 0, 0, "", "")
            assert member.name.isascii()
        keys = [m.name.removesuffix(".json") for m in members if m.name.endswith(".json")]
        for key in keys:
            split, name = key.split("/")
            assert path.name.startswith(f"{split}-")
            tags[split].append(unquote(name))
            assert sum(m.name.startswith(f"{key}.") for m in members) == 1 + 1 + len(VERSIONS)
    assert {split: tuple(found) for split, found in tags.items()} == TAGS


def test_shards_json_lists_shards_by_size_and_checksum(shards):
    described = json.loads((shards / "shards.json").read_text())
    assert {entry["name"] for entry in described["shards"]} == {
        p.name for p in shards.glob("*.tar")
    }
    for entry in [*described["shards"], *described["files"]]:
        data = (shards / entry["name"]).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert {s: v["pictures"] for s, v in described["splits"].items()} == {
        "train": 3,
        "val": 1,
        "test": 2,
    }
    assert sum(entry["samples"] for entry in described["shards"]) == 6
    assert len(described["shards"]) == 6  # 60 kB hold one picture of 17 files each


def test_masks_are_kept_once(shards):
    with tarfile.open(shards / "test-000000.tar") as tar:
        value = json.load(present(tar.extractfile("test/d%2Epng.json")))
    assert len(value["masks"]) == 3
    assert [r["segmentation_mask"] for r in value["versions"]["blur"]["regions"]] == [0, 1, 2]


def test_large_shards_hold_many_pictures_and_splits_are_chosen(root, tmp_path):
    report = pack(root, tmp_path / "s", splits=["train", "test"])
    assert sorted(p.name for p in (tmp_path / "s").glob("*.tar")) == [
        "test-000000.tar",
        "train-000000.tar",
    ]
    assert (report.pictures, report.shards) == (5, 2)


def test_extra_files_are_left_out_and_counted(tmp_path):
    root = make_root(tmp_path / "root", versions=("blur",))
    (root / "blur" / "test" / "more.png").write_bytes(b"x")
    (root / "depth" / "d.npy").write_bytes(b"x")
    report = pack(root, tmp_path / "s")
    assert report.left_out == {"blur/test": 1, "depth": 1}


def test_roots_that_cannot_be_packed_are_refused_and_leave_nothing(tmp_path):
    root = make_root(tmp_path / "root", versions=("blur", "mixed"))
    out = tmp_path / "s"
    assert refusal(DatasetError, pack, root / "gt", out) == (
        f"{root / 'gt'}: no stats/<split>_stats_<version>.json in it, expected a data set"
    )
    assert refusal(DatasetError, pack, root, out, splits=["dev"]) == (
        "unknown split 'dev', expected one of train, val, test"
    )
    assert refusal(OutputError, pack, root, root / "s") == (
        f"{root / 's'}: is inside {root}, where no other folder may stand"
    )
    (root / "build.journal.jsonl").write_text("{}\n")
    assert refusal(DatasetError, pack, root, out) == (
        f"{root}: its build is unfinished; finish it with `dataset build`"
    )
    (root / "build.journal.jsonl").unlink()
    picture = root / "mixed" / "test" / "d.png"
    picture.unlink()
    assert refusal(DatasetError, pack, root, out) == (
        f"{picture}: cannot be read (No such file or directory), but is in the stats of test; "
        "run `distortion-graph dataset check`"
    )
    path = stats_path(root, "test", "mixed")
    path.write_text(path.read_text().replace('"score_fr":', '"score_fr":NaN,"old":', 1))
    assert "cannot be kept as JSON" in refusal(DatasetError, pack, root, out)
    assert [p.name for p in tmp_path.iterdir()] == ["root"]


def test_a_folder_with_something_in_it_is_refused(root, shards, tmp_path):
    (tmp_path / "mine").write_text("x")
    line = f"{tmp_path}: is there already; name a new or an empty folder"
    assert refusal(OutputError, pack, root, tmp_path) == line
    assert refusal(OutputError, unpack, shards, tmp_path) == line
    assert refusal(OutputError, unpack, shards, tmp_path / "no" / "where") == (
        f"{tmp_path / 'no' / 'where'}: the folder {tmp_path / 'no'} does not exist; make it first"
    )
    (tmp_path / "empty").mkdir()
    unpack(shards, tmp_path / "empty")
    assert (tmp_path / "empty" / "gt").is_dir()


def test_a_full_disk_leaves_nothing(root, shards, tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hashed.HashedFile, "write", full)
    line = f"{tmp_path / 's'}: cannot be written (No space left on device)"
    assert refusal(OutputError, pack, root, tmp_path / "s") == line
    assert refusal(OutputError, unpack, shards, tmp_path / "s") == line
    assert list(tmp_path.iterdir()) == []


def rewritten(shards, folder, change):
    """A copy of the shards whose test-000000.tar went through `change` (members by name), with
    shards.json made to fit: what someone who means harm would do."""
    shutil.copytree(shards, folder)
    path = folder / "test-000000.tar"
    with tarfile.open(path) as tar:
        members = [(m, present(tar.extractfile(m)).read()) for m in tar.getmembers()]
    with tarfile.open(path, "w") as tar:
        for member, data in change(members):
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    described = json.loads((folder / "shards.json").read_text())
    entry = next(e for e in described["shards"] if e["name"] == path.name)
    entry |= {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (folder / "shards.json").write_text(json.dumps(described))
    return folder


def renamed(old, new):
    def change(members):
        for member, data in members:
            member.name = member.name.replace(old, new)
            yield member, data.replace(old.encode(), new.encode())

    return change


def in_json(old, new):
    def change(members):
        for member, data in members:
            yield member, data.replace(old, new) if member.name.endswith(".json") else data

    return change


def link(members):
    for member, data in members:
        if member.name.endswith(".blur.png"):
            member.type, member.linkname, data = tarfile.SYMTYPE, "/etc/passwd", b""
        yield member, data


def sparse(members):
    for member, data in members:
        member.pax_headers = {"GNU.sparse.size": "many"}
        yield member, data


def without(end):
    return lambda members: ((m, d) for m, d in members if not m.name.endswith(end))


def with_twin(members):
    for member, data in members:
        yield member, data
        if member.name.endswith(".gt.png"):
            yield member, data


HARM = {
    "a key that climbs": (renamed("test/d%2Epng", "../../d%2Epng"), "its JSON names another"),
    "an absolute key": (renamed("test/d%2Epng", "/d%2Epng"), "its JSON names another picture"),
    "a tag that climbs": (
        in_json(b'"tag":"d.png"', b'"tag":"../d.png"'),
        "the picture name '../d.png' is not the plain name",
    ),
    "a split of its own": (in_json(b'"split":"test"', b'"split":"../x"'), "names another picture"),
    "another split": (renamed("test/d%2Epng", "val/d%2Epng"), "its JSON names another picture"),
    "a version that climbs": (
        in_json(b'"blur":{', b'"../blur":{'),
        "'../blur' is no name of a version's folder",
    ),
    "a version named as a folder": (in_json(b'"blur":{', b'"stats":{'), "'stats' is no version"),
    "an unknown version": (renamed("blur", "blurr"), "version 'blurr' is not in shards.json"),
    "a link": (link, "'test/d%2Epng.blur.png' is no plain file"),
    "a missing version": (without(".blur.png"), "test/d%2Epng.blur.png is missing"),
    "no JSON": (without(".json"), "'test/d%2Epng.gt.png' stands without test/d%2Epng.json"),
    "a member twice": (with_twin, "'test/d%2Epng.gt.png' is there twice"),
    "a foreign member": (
        lambda members: ((_named(m, "rain.png", "x.exe"), d) for m, d in members),
        "test/d%2Epng.rain.png is missing",
    ),
    "no JSON text": (in_json(b"{", b"["), "damaged JSON"),
    "another format": (
        in_json(b"picture 1", b"picture 9"),
        "of format 'distortion-graph picture 9'",
    ),
    "an unknown mask": (in_json(b'"segmentation_mask":2', b'"segmentation_mask":77'), "no mask 77"),
    "a score that is no number": (in_json(b'"score_fr":', b'"score_fr":1e999,"x":'), "as JSON"),
    "half a character": (in_json(b'"name":"', b'"name":"\\ud800'), "cannot be written as JSON"),
    "a sparse file": (sparse, "damaged or no tar file"),
    "a damaged mask": (in_json(b'"counts":"', b'"counts":"\\u00ff'), "mask 0 is damaged"),
}


def _named(member, old, new):
    member.name = member.name.replace(old, new)
    return member


@pytest.mark.parametrize("name", HARM)
def test_shards_that_would_do_harm_are_refused_and_leave_nothing(shards, tmp_path, name):
    change, fault = HARM[name]
    bad = rewritten(shards, tmp_path / "bad", change)
    line = refusal(DatasetError, unpack, bad, tmp_path / "out")
    assert line.startswith(f"{bad / 'test-000000.tar'}: ")
    assert fault in line
    assert [p.name for p in tmp_path.iterdir()] == ["bad"]


def test_damage_is_found_by_checksum(shards, tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(shards, bad)
    path = bad / "val-000000.tar"
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 1
    path.write_bytes(data)
    line = refusal(DatasetError, unpack, bad, tmp_path / "out")
    assert line.startswith(f"{path}: is not the shard that shards.json describes (SHA-256 ")
    assert line.endswith("; get it anew")
    path.write_bytes(data[:5000])
    assert refusal(DatasetError, unpack, bad, tmp_path / "out").startswith(f"{path}: damaged or no")
    path.unlink()
    assert refusal(DatasetError, unpack, bad, tmp_path / "out") == (
        f"{path}: cannot be read (No such file or directory), expected a shard"
    )
    shutil.copy(shards / "val-000000.tar", path)
    (bad / "manifest.jsonl").write_bytes(b"other")
    line = refusal(DatasetError, unpack, bad, tmp_path / "out")
    assert line.startswith(f"{bad / 'manifest.jsonl'}: is not the file that shards.json describes")
    assert [p.name for p in tmp_path.iterdir()] == ["bad"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("shards 1", "shards 2", "format"),
        ("test-000000.tar", "../x.tar", "unknown shard '../x.tar', expected <split>-<six digits>"),
        ("manifest.jsonl", "../../x", "unknown file '../../x' beside the shards"),
        ('"blur"', '"../blur"', "'../blur' is no name of a version's folder"),
        ("{", "[", "shards.json"),
    ],
)
def test_a_shards_file_that_is_none_is_refused(shards, tmp_path, old, new, fault):
    text = (shards / "shards.json").read_text()
    (tmp_path / "shards.json").write_text(text.replace(old, new, 1))
    line = refusal(DatasetError, unpack, tmp_path, tmp_path.parent / "out")
    assert line.startswith(str(tmp_path / "shards.json"))
    assert fault in line


def test_a_list_of_shards_that_lacks_one_is_refused(shards, tmp_path):
    described = json.loads((shards / "shards.json").read_text())
    described["shards"] = [e for e in described["shards"] if e["split"] != "val"]
    (tmp_path / "shards.json").write_text(json.dumps(described))
    assert refusal(DatasetError, unpack, tmp_path, tmp_path.parent / "out") == (
        f"{tmp_path / 'shards.json'}: says that val has 1 pictures, but its shards have 0; get it "
        "anew"
    )


def test_a_folder_without_shards_is_refused(tmp_path):
    assert refusal(DatasetError, unpack, tmp_path, tmp_path / "out") == (
        f"{tmp_path}: no shards.json in it, expected a folder made by `dataset pack`"
    )


@pytest.mark.parametrize(
    "tag",
    ["a.png", "a", "a.b.c.jpg", "weiß~ä%.png", "x" * 200 + ".jpeg", "a.json", ".dot.webp", "ü"],
)
def test_keys_give_back_their_tags_and_hold_no_dot(tag):
    key = contents.picture_key("test", tag)
    assert contents.tag_of_key(key) == tag
    name = contents.picture_name(key, "blur", tag)
    assert "." not in key
    assert name.isascii()
    assert name.partition(".")[0] == key
    assert name.count(".") == 2
    assert contents.json_name(key) != name


def test_the_records_of_a_picture_are_those_of_the_stats_file(root, shards):
    from distortion_graph.datasets.shards.reading import read_shard

    pictures = {p.tag: p for p in read_shard(shards / "test-000000.tar")}
    known = read_stats(stats_path(root, "test", "rain"))
    assert pictures["d.png"].record("rain") == known["d.png"]
    assert pictures["d.png"].files["rain"] == (root / "rain" / "test" / "d.png").read_bytes()
