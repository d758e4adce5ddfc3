"""Push and pull with the hub's real client against a stand-in of the hub on this machine."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys

import pytest
from build_samples import make_source
from hub_stand_in import TOKEN, RefusalError, hub_running
from shard_roots import files_of, make_root

from distortion_graph.base.errors import DatasetError, DistortionGraphError, OutputError
from distortion_graph.datasets.make import BuildOptions, build_dataset, parse_splits
from distortion_graph.datasets.shards import pack, unpack
from distortion_graph.datasets.sources import parse_source

huggingface_hub = pytest.importorskip("huggingface_hub", reason="needs the hub extra")

from distortion_graph.datasets.hub import pull, push  # noqa: E402
from distortion_graph.datasets.hub.client import HubError  # noqa: E402
from distortion_graph.datasets.hub.contents import belongs  # noqa: E402

# The client's own, in a library that it uses.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "someone/small.set_1"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    tags = {"train": ("a.png",), "val": ("ü c.png",), "test": ("d.png",)}
    return make_root(tmp_path_factory.mktemp("data") / "root", tags, versions=("blur", "mixed"))


@pytest.fixture(scope="module")
def shards(root):
    pack(root, root.parent / "shards", shard_bytes=8_000)
    return root.parent / "shards"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub, and a client that knows no other and keeps nothing outside of tmp_path."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    connect = socket.socket.connect

    def to_this_machine(self, address):
        assert address[0] == "127.0.0.1", f"a connection to {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", to_this_machine)
    with hub_running() as running:
        yield running


def refusal(function, *arguments, **options):
    with pytest.raises(DistortionGraphError) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)
    return caught.type, str(caught.value)


def sent(hub):
    """What requests carried content: uploads of large files, and commits."""
    return [p for m, p in hub.requests if m == "PUT" or "/commit/" in p]


def test_a_root_comes_back_to_the_byte(hub, root, tmp_path):
    steps = []
    report = push(root, REPO, endpoint=hub.url, progress=lambda *step: steps.append(step))
    files = files_of(root)
    assert (report.sent, report.unchanged, report.left_out) == (len(files) + 1, 0, 0)
    assert report.url == f"{hub.url}/datasets/{REPO}"
    assert steps == [(len(files) + 1, len(files) + 1)]
    tree = hub.repos[REPO].tree("main")
    assert {name: tree[name] for name in files} == files
    assert tree.keys() - files.keys() == {"README.md", ".gitattributes"}
    pulled = pull(REPO, tmp_path / "back", endpoint=hub.url)
    assert files_of(tmp_path / "back") == files
    assert {p.name for p in (tmp_path / "back").iterdir()} == {p.name for p in root.iterdir()}
    assert (tmp_path / "back" / "depth").is_dir()
    assert (pulled.fetched, pulled.unchanged, pulled.shards) == (len(files) + 1, 0, False)
    assert pulled.left_out == 1  # .gitattributes
    assert pulled.commit == hub.repos[REPO].refs["main"]


def test_shards_come_back_to_the_byte_and_unpack(hub, root, shards, tmp_path):
    push(shards, REPO, endpoint=hub.url)
    assert pull(REPO, tmp_path / "back", endpoint=hub.url).shards
    assert files_of(tmp_path / "back") == files_of(shards)
    unpack(tmp_path / "back", tmp_path / "root")
    assert files_of(tmp_path / "root") == files_of(root)


def test_what_is_there_is_sent_and_fetched_only_once(hub, root, tmp_path):
    push(root, REPO, endpoint=hub.url)
    hub.requests.clear()
    again = push(root, REPO, endpoint=hub.url)
    assert (again.sent, again.unchanged, sent(hub)) == (0, len(files_of(root)), [])
    out = tmp_path / "back"
    pull(REPO, out, endpoint=hub.url)
    (out / "blur" / "test" / "d.png").unlink()
    hub.requests.clear()
    report = pull(REPO, out, endpoint=hub.url)
    assert (report.fetched, report.unchanged) == (2, len(files_of(root)) - 1)  # and the README.md
    fetched = [p.rpartition("/")[2] for m, p in hub.requests if m == "GET" and "/resolve/" in p]
    assert sorted(fetched) == ["README.md", "d.png"]
    assert files_of(out) == files_of(root)


def test_a_stopped_push_goes_on(hub, root):
    commits = []

    def third_commit_fails(method, path):
        commits.extend([path] if "/commit/" in path else [])
        if len(commits) == 3:
            raise RefusalError(503, "", "maintenance")

    hub.fail = third_commit_fails
    kind, line = refusal(push, root, REPO, endpoint=hub.url, files_per_commit=4)
    assert kind is HubError
    assert line == f"{REPO}: {hub.url} answered 503: maintenance; try again later"
    hub.fail = lambda method, path: None
    files = files_of(root)
    steps = []
    report = push(
        root,
        REPO,
        endpoint=hub.url,
        progress=lambda *step: steps.append(step),
        files_per_commit=4,
    )
    assert (report.sent, report.unchanged) == (len(files) - 8 + 1, 8)
    assert steps[0] == (12, len(files) + 1)
    assert steps[-1] == (len(files) + 1, len(files) + 1)
    assert files.items() <= hub.repos[REPO].tree("main").items()


def test_an_unfinished_push_is_seen_by_who_pulls(hub, root, tmp_path):
    push(root, REPO, endpoint=hub.url)
    repo = hub.repos[REPO]
    tree = dict(repo.tree("main"))
    del tree["mixed/train/a.png"]
    repo.commit("main", tree)
    out = tmp_path / "back"
    assert refusal(pull, REPO, out, endpoint=hub.url) == (
        DatasetError,
        f"{out}: mixed/train/a.png is missing on the hub; the push was not finished",
    )


def test_a_stopped_pull_goes_on(hub, root, tmp_path):
    push(root, REPO, endpoint=hub.url)
    count = []

    def later_files_fail(method, path):
        count.extend([path] if "/resolve/" in path else [])
        if len(count) > 12:
            raise RefusalError(403, "", "slow down")

    hub.fail = later_files_fail
    out = tmp_path / "back"
    kind, line = refusal(pull, REPO, out, endpoint=hub.url)
    assert kind is HubError
    assert line.startswith(f"{REPO}: {hub.url} forbids it (403")
    there = {n: d for n, d in files_of(out).items() if not n.startswith(".cache/")}
    assert there.items() <= hub.repos[REPO].tree("main").items()  # whole files only
    hub.fail = lambda method, path: None
    report = pull(REPO, out, endpoint=hub.url)
    assert report.unchanged == len(there) > 0
    assert files_of(out) == files_of(root)


def test_damage_on_the_way_is_found_and_not_kept(hub, root, tmp_path):
    push(root, REPO, endpoint=hub.url)
    whole = hub.repos[REPO].tree("main")["blur/test/d.png"]
    hub.damage = {"blur/test/d.png": whole[:-1] + b"?"}
    out = tmp_path / "back"
    kind, line = refusal(pull, REPO, out, endpoint=hub.url, only=["blur/test/*"])
    assert kind is HubError
    assert line.startswith(f"{REPO}: blur/test/d.png came damaged (SHA-256 ")
    assert not (out / "blur" / "test" / "d.png").exists()
    hub.damage = {}
    pull(REPO, out, endpoint=hub.url, only=["blur/test/*"])
    assert (out / "blur" / "test" / "d.png").read_bytes() == whole


def test_what_was_changed_on_the_hub_is_found_by_the_data_sets_own_checksums(
    hub, root, shards, tmp_path
):
    for folder, name in ((root, "blur/test/d.png"), (shards, "test-000000.tar")):
        repo_id = f"{REPO}-{folder.name}"
        push(folder, repo_id, endpoint=hub.url)
        repo = hub.repos[repo_id]
        repo.commit("main", repo.tree("main") | {name: b"another one"})
        out = tmp_path / folder.name
        kind, line = refusal(pull, repo_id, out, endpoint=hub.url)
        assert kind is DatasetError
        assert line.startswith(f"{out / name}: is not the file that the data set lists (SHA-256 ")


def test_only_what_matches_is_fetched_with_what_describes_it(hub, shards, tmp_path):
    push(shards, REPO, endpoint=hub.url)
    out = tmp_path / "back"
    pull(REPO, out, endpoint=hub.url, only=["val-*.tar"])
    described = {"shards.json", "manifest.jsonl", "pandabench_index.json"}
    assert files_of(out).keys() == described | {"val-000000.tar"}
    assert refusal(pull, REPO, tmp_path / "no", endpoint=hub.url, only=["x-*"]) == (
        HubError,
        f"{REPO}: no file matches 'x-*', such as README.md",
    )


def test_revisions_are_branches(hub, root, shards, tmp_path):
    push(shards, REPO, endpoint=hub.url)
    push(root, REPO, endpoint=hub.url, revision="roots")
    assert "gt/test/d.png" not in hub.repos[REPO].tree("main")
    assert refusal(pull, REPO, tmp_path / "x", endpoint=hub.url, revision="none") == (
        HubError,
        f"{REPO}: has no revision 'none' on {hub.url}",
    )
    sha = hub.repos[REPO].refs["main"]
    pull(REPO, tmp_path / "main", endpoint=hub.url, revision=sha)
    assert files_of(tmp_path / "main") == files_of(shards)


def test_a_readme_of_ones_own_travels_and_a_made_one_stays(hub, root, tmp_path):
    push(root, REPO, endpoint=hub.url)
    page = hub.repos[REPO].tree("main")["README.md"].decode()
    assert page.startswith("---\npretty_name: small.set_1\n")
    assert "| train | 1 |\n| val | 1 |\n| test | 1 |" in page
    mine = tmp_path / "mine"
    shutil.copytree(root, mine)
    (mine / "README.md").write_text("# Mine\n")
    push(mine, REPO, endpoint=hub.url)
    assert hub.repos[REPO].tree("main")["README.md"] == b"# Mine\n"
    push(root, REPO, endpoint=hub.url)  # one that is there is not replaced by a made one
    assert hub.repos[REPO].tree("main")["README.md"] == b"# Mine\n"
    pull(REPO, tmp_path / "back", endpoint=hub.url)
    assert files_of(tmp_path / "back") == files_of(mine)


def test_the_page_tells_counts_and_licences_of_a_built_data_set(hub, tmp_path):
    lab = make_source(tmp_path / "lab", ("a", "b", "c"))
    options = BuildOptions(
        splits=parse_splits("train=.67,test=.33"),
        types=("blur",),
        licences={"": "CC0 | <b>free</b>"},
        workers=0,
    )
    build_dataset([parse_source(f"lab=labels:{lab}")], tmp_path / "set", options)
    push(tmp_path / "set", REPO, endpoint=hub.url)
    page = hub.repos[REPO].tree("main")["README.md"].decode()
    assert (
        "| split | pictures | regions |\n|---|---|---|\n| train | 2 | 6 |\n| test | 1 | 3 |" in page
    )
    assert "Versions of every picture: blur, mixed, mixed2. Metric of the scores: haarpsi." in page
    assert "| lab | labels | 3 | CC0 &#124; &#60;b&#62;free&#60;/b&#62; |" in page
    pull(REPO, tmp_path / "back", endpoint=hub.url)
    assert files_of(tmp_path / "back") == files_of(tmp_path / "set")


def test_private_ones_are_private_and_public_ones_are_not_believed_to_be(hub, root):
    push(root, REPO, endpoint=hub.url, private=True)
    assert hub.repos[REPO].private
    push(root, "someone/open", endpoint=hub.url)
    hub.requests.clear()
    assert refusal(push, root, "someone/open", endpoint=hub.url, private=True) == (
        HubError,
        f"someone/open: is there already and public; change that on {hub.url}/datasets/someone/open"
        " first",
    )
    assert sent(hub) == []


def test_the_token_is_the_environments_and_appears_nowhere(hub, root, tmp_path, monkeypatch):
    hub.need_token = True
    kind, line = refusal(push, root, REPO, endpoint=hub.url)
    assert kind is HubError
    assert line == (
        f"{REPO}: {hub.url} did not accept the token (401: Invalid credentials in Authorization "
        "header); check HF_TOKEN or `hf auth login`"
    )
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    push(root, REPO, endpoint=hub.url)
    pull(REPO, tmp_path / "back", endpoint=hub.url)
    everything = [*files_of(tmp_path).values(), *hub.repos[REPO].tree("main").values()]
    assert not any(TOKEN.encode() in data for data in everything)


def test_other_files_of_a_folder_stay_there(hub, root, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(root, mine)
    (mine / "passwords.txt").write_text("x")
    (mine / ".hidden").mkdir()
    (mine / ".hidden" / "x").write_text("x")
    (mine / "notes").mkdir()
    (mine / "notes" / "a.md").write_text("x")
    (mine / "notes" / "test").mkdir()
    (mine / "notes" / "test" / "a.md").write_text("x")
    assert push(mine, REPO, endpoint=hub.url).left_out == 4
    assert files_of(root).items() <= hub.repos[REPO].tree("main").items()
    assert "notes/test/a.md" not in hub.repos[REPO].tree("main")


def test_names_that_leave_the_folder_are_not_fetched(hub, root, tmp_path):
    push(root, REPO, endpoint=hub.url)
    repo = hub.repos[REPO]
    harm = {
        "../out.png": b"x",
        "blur/test/../../../x.png": b"x",
        "/etc/x": b"x",
        ".git/hooks/x": b"",
    }
    repo.commit("main", repo.tree("main") | harm)
    (tmp_path / "deep").mkdir()
    report = pull(REPO, tmp_path / "deep" / "back", endpoint=hub.url)
    assert report.left_out == 1 + len(harm)
    assert files_of(tmp_path / "deep" / "back") == files_of(root)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["back"]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("dataset.json", True),
        ("test-000012.tar", True),
        ("dev-000012.tar", False),
        ("gt/test/ä b.png", True),
        ("gt/dev/a.png", False),
        ("stats/test_stats_blur.json", True),
        ("stats/test/blur.json", False),
        ("depth/a/b/c.npy", True),
        ("depth/../x", False),
        ("gt/test/..", False),
        ("gt/test/a\\b.png", False),
        ("gt//a.png", False),
        ("/gt/test/a.png", False),
        ("C:/test/a.png", False),
        (".gitattributes", False),
        ("script.py", False),
        ("", False),
    ],
)
def test_what_belongs_to_a_data_set(name, own):
    assert belongs(name) is own


def test_folders_that_are_no_data_set_are_refused_before_anything_is_sent(hub, root, tmp_path):
    (tmp_path / "x").mkdir()
    assert refusal(push, tmp_path / "x", REPO, endpoint=hub.url) == (
        DatasetError,
        f"{tmp_path / 'x'}: neither shards.json nor stats/ is in it; expected a data set or its "
        "shards",
    )
    mine = tmp_path / "mine"
    shutil.copytree(root, mine)
    (mine / "build.journal.jsonl").write_text("{}\n")
    assert refusal(push, mine, REPO, endpoint=hub.url) == (
        DatasetError,
        f"{mine}: its build is unfinished; finish it with `dataset build`",
    )
    assert hub.requests == []


def test_shards_that_are_missing_or_cut_off_are_not_pushed(hub, shards, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(shards, mine)
    path = mine / "test-000000.tar"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:1000])
    kind, line = refusal(push, mine, REPO, endpoint=hub.url)
    assert kind is DatasetError
    assert line == (f"{path}: is missing or not of {size} bytes as shards.json says; pack again")


def test_repositories_without_a_data_set_are_refused(hub, root, tmp_path):
    kind, line = refusal(pull, REPO, tmp_path / "x", endpoint=hub.url)
    assert kind is HubError
    assert line == (
        f"{REPO}: no such data set on {hub.url}, or it is private and the token gives no right to "
        "it; check the name, and HF_TOKEN or `hf auth login`"
    )
    push(root, REPO, endpoint=hub.url)
    hub.repos[REPO].commit("main", {"README.md": b"nothing"})
    assert refusal(pull, REPO, tmp_path / "x", endpoint=hub.url) == (
        DatasetError,
        f"{REPO}: neither shards.json nor stats/ is in it; expected a data set or its shards",
    )
    assert not (tmp_path / "x").exists()
    assert refusal(pull, "a b/c", tmp_path / "x", endpoint=hub.url) == (
        HubError,
        "'a b/c': not a name on the hub, expected NAMESPACE/NAME",
    )


def test_nothing_of_somebody_elses_is_overwritten(hub, root, tmp_path):
    push(root, REPO, endpoint=hub.url)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("x")
    assert refusal(pull, REPO, mine, endpoint=hub.url) == (
        OutputError,
        f"{mine}: 'thesis.txt' is there, which is not of {REPO}; name a new folder",
    )
    (mine / "thesis.txt").unlink()
    (mine / ".cache").mkdir()
    (mine / ".cache" / "own.txt").write_text("x")
    pull(REPO, mine, endpoint=hub.url)
    assert [path.name for path in (mine / ".cache").iterdir()] == ["own.txt"]
    (mine / "manifest.jsonl").write_text("mine")
    assert refusal(pull, REPO, mine, endpoint=hub.url) == (
        OutputError,
        f"{mine / 'manifest.jsonl'}: is there and differs from that of {REPO}; name a new folder",
    )
    assert (mine / "manifest.jsonl").read_text() == "mine"
    assert refusal(pull, REPO, tmp_path / "no" / "x", endpoint=hub.url) == (
        OutputError,
        f"{tmp_path / 'no' / 'x'}: the folder {tmp_path / 'no'} does not exist; make it first",
    )


def test_no_network_is_one_line(hub, root, tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    for function, arguments in ((push, (root, REPO)), (pull, (REPO, tmp_path / "x"))):
        kind, line = refusal(function, *arguments, endpoint=nobody)
        assert kind is HubError
        assert line.startswith(f"{nobody} cannot be reached (")
        assert line.endswith("); check the network and HF_ENDPOINT")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert refusal(pull, REPO, tmp_path / "x", endpoint=nobody) == (
        HubError,
        f"{REPO}: HF_HUB_OFFLINE is set, so {nobody} is not asked; unset it",
    )


def test_a_full_disk_is_no_fault_of_the_hub(hub, root, tmp_path, monkeypatch):
    push(root, REPO, endpoint=hub.url)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr(huggingface_hub.HfApi, "hf_hub_download", full)
    with pytest.raises(OSError, match="No space left") as caught:
        pull(REPO, tmp_path / "x", endpoint=hub.url)
    assert caught.value.errno == errno.ENOSPC  # which the command line says in one line


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, root):
    monkeypatch.setattr("distortion_graph.datasets.hub.client.find_spec", lambda name: None)
    assert refusal(push, root, REPO) == (
        HubError,
        "the hub's client, huggingface_hub, is not installed: pip install 'distortion-graph[hub]'",
    )


def test_the_commands_push_and_pull(hub, root, tmp_path):
    quiet_home = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN}
    environment = os.environ | quiet_home | {"HF_ENDPOINT": hub.url}
    environment.pop("HF_HUB_OFFLINE", None)
    hub.need_token = True

    def command(*words):
        call = [sys.executable, "-m", "distortion_graph", "dataset", *map(str, words)]
        done = subprocess.run(
            call, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=900
        )
        assert TOKEN not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    count = len(files_of(root))
    assert command("push", root, REPO, "--private") == (
        0,
        f"{hub.url}/datasets/{REPO}: {count + 1} files sent, 0 were there\n",
        "",
    )
    assert command("pull", REPO, "--out", "back") == (
        0,
        f"back: data set of {REPO}, {count + 1} files fetched, 0 were there\n",
        "",
    )
    assert files_of(tmp_path / "back") == files_of(root)
    assert command("pull", "some/other", "--out", "x", "--quiet") == (
        2,
        "",
        f"distortion-graph: error: some/other: no such data set on {hub.url}, or it is private and "
        "the token gives no right to it; check the name, and HF_TOKEN or `hf auth login`\n",
    )
    assert not any(TOKEN.encode() in data for data in files_of(tmp_path).values())
