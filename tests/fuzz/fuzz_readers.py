"""Everything that reads what others wrote, each as a function of bytes, and what comes out checked.

A function here returns where the input was read and what came of it is whole; the reader's own
refusal passes through. Valid files of ours, and inputs that once broke something, are in
`corpus/<reader>`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_mutations import (
    Mutate,
    changed_bytes,
    changed_json,
    changed_lines,
    changed_png,
    changed_text,
)

from distortion_graph.base.errors import (
    BatchError,
    DatasetError,
    DistortionGraphError,
    GraphError,
    ImageError,
    ModelError,
    PolicyError,
    RegionError,
    VideoError,
    VocabularyError,
    WorkError,
)
from distortion_graph.base.files import HeldFile
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import Picture, load_picture

CORPUS = Path(__file__).with_name("corpus")
H, W = 12, 16
MAX_PIXELS = 250_000


@dataclass(frozen=True)
class Reader:
    """A reader under its name.

    `read` takes an input and a folder to write to. `mutate` makes inputs of valid ones. `refusal`
    is the error that a reader may raise, `named` what its line must say. `memory_mb` and `seconds`
    of CPU are more than an input can need. `quick`: how many inputs the suite makes. `more` are
    valid files that are somewhere else. `needs` is a module that not everybody has.
    """

    name: str
    read: Callable[[bytes, Path], object]
    mutate: Mutate
    refusal: type[Exception] = DistortionGraphError
    named: str = ""
    memory_mb: int = 512
    seconds: float = 10.0
    quick: int = 100
    more: Callable[[], list[bytes]] = list
    needs: str | None = None

    def kept(self) -> list[Path]:
        """The files of its corpus."""
        return sorted(path for path in CORPUS.glob(f"{self.name}/*") if path.is_file())

    def seeds(self) -> list[bytes]:
        """Valid files beside those."""
        return self.more()


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


# ---- pictures ----------------------------------------------------------------------------------


def _picture(name: str, data: bytes, folder: Path) -> None:
    from distortion_graph.pictures.images import displayed_size

    try:
        size = displayed_size(data, name)
    except ImageError:
        size = None
    picture = load_picture(data, max_pixels=MAX_PIXELS, name=name)
    h, w = picture.size
    _expect(picture.rgb.dtype == np.uint8 and picture.rgb.shape == (h, w, 3), "pixels")
    _expect(0 < h * w <= MAX_PIXELS, f"{w}×{h} pixels")
    _expect(size == (h, w), f"size {size} of the header, {(h, w)} of the picture")
    _expect(picture.alpha is None or picture.alpha.shape == (h, w), "alpha")
    _expect(all(line.isprintable() and line.startswith(name) for line in picture.warnings), "notes")


def _data_set_picture(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.decoding import decode_rgb, picture_size

    size = picture_size(data, "p.png")
    if size[0] * size[1] > MAX_PIXELS:  # the limit of data sets is that of all pictures
        return
    try:
        expected = load_picture(data, name="p.png").rgb
    except ImageError:
        expected = None
    rgb = decode_rgb(data, "p.png")
    _expect(rgb.shape == (*size, 3), f"size {size} of the header, {rgb.shape} of the picture")
    _expect(expected is not None and np.array_equal(rgb, expected), "other pixels")


# ---- regions -----------------------------------------------------------------------------------


@cache
def _blank() -> Picture:
    picture = load_picture(np.zeros((H, W, 3), np.uint8))
    return replace(picture, source="a.png", stored_size=(H, W))


def _regions(files: Sequence[HeldFile]) -> None:
    from distortion_graph.regions import resolve_regions
    from distortion_graph.regions.spec import HeldRegions

    notes: list[str] = []
    found = resolve_regions(HeldRegions.of(files), _blank(), _blank(), warn=notes.append)
    _whole(found)
    _expect(all(line.isprintable() for line in notes), f"notes {notes}")


def _whole(found: RegionSet) -> None:
    """Masks that decode to what their runs say."""
    _expect(found.size == (H, W) and len(found) > 0, "size")
    masks = found.masks()
    _expect(masks.shape == (len(found), H, W), "masks")
    _expect(masks.sum((1, 2)).tolist() == found.areas().tolist(), "areas")
    _expect(bool(found.areas().all()), "an empty mask")
    _expect(
        all(
            isinstance(i, int) and isinstance(n, str)
            for i, n in zip(found.ids, found.names, strict=True)
        ),
        "ids",
    )


def _table(name: str, data: bytes, folder: Path) -> None:
    _regions([HeldFile(name, data)])


def _label_map(data: bytes, folder: Path) -> None:
    _regions([HeldFile("m.png", data)])


def _named_label_map(data: bytes, folder: Path) -> None:
    """The names of a label map."""
    _regions([HeldFile("m.png", _kept("label-map", "grey.png")), HeldFile("m.json", data)])


def _panoptic_json(data: bytes, folder: Path) -> None:
    _regions([HeldFile("m.png", _kept("panoptic-png", "three.png")), HeldFile("m.json", data)])


def _panoptic_png(data: bytes, folder: Path) -> None:
    _regions([HeldFile("m.png", data), HeldFile("m.json", _kept("panoptic-json", "three.json"))])


def _alpha(data: bytes, folder: Path) -> None:
    from distortion_graph.regions import resolve_regions

    place = _written(folder / "m.png", data)
    _whole(resolve_regions(f"alpha:{place}", _blank(), _blank()))


def _rle_text(data: bytes, folder: Path) -> None:
    """Packed runs, as they stand in JSON."""
    from distortion_graph.masks.rle import rle_from_text

    rle = rle_from_text(data.decode("utf-8", "surrogateescape"), (H, W), "m")
    _expect(int(rle.decode().sum()) == rle.area(), "area")
    _expect(rle.crop().box == rle.box_xywh(), "box")


def _rle_runs(data: bytes, folder: Path) -> None:
    from distortion_graph.masks.rle import rle_from_runs

    try:
        counts = json.loads(data)
    except (ValueError, RecursionError):
        return
    rle = rle_from_runs(counts, (H, W), "m")
    _expect(int(rle.decode().sum()) == rle.area(), "area")


# ---- graphs ------------------------------------------------------------------------------------


def _graph(data: bytes, folder: Path) -> None:
    from distortion_graph.formats.files import read_graph
    from distortion_graph.graph import load_graph

    graph = read_graph(_written(folder / "g.json", data))
    _expect(load_graph(graph.to_json()) == graph, "round trip")


def _vocabulary(data: bytes, folder: Path) -> None:
    from distortion_graph.formats.files import load_vocabulary

    load_vocabulary(_written(folder / "v.json", data))


# ---- data sets ---------------------------------------------------------------------------------


def _stats(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.stats import read_stats

    for record in read_stats(_written(folder / "s.json", data)).values():
        for region in record.regions:
            if region.mask is not None:
                _expect(region.mask.area() <= region.mask.size[0] * region.mask.size[1], "area")


def _stats_stream(data: bytes, folder: Path) -> None:
    """What `dataset check` reads, in parts of 40 bytes and whole: both ways say the same."""
    from distortion_graph.datasets.stats_stream import StatsIndex, stream_stats

    path = _written(folder / "s.json", data)
    with StatsIndex(path, chunk_bytes=40) as index:
        for tag, value in stream_stats(path):
            entry = index.entry(tag)
            _expect(json.dumps(entry) == json.dumps(value), "entry")


def _manifest(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.manifest import read_manifest

    list(read_manifest(_written(folder / "manifest.jsonl", data)))


def _pair_lists(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.pair_lists import read_index

    read_index(_written(folder / "i.py", data))


def _description(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.description import read_description

    _written(folder / "dataset.json", data)
    read_description(folder)


def _splits(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.make.splits import parse_splits

    parse_splits(str(_written(folder / "splits.json", data)))


def _names(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.pictures import read_names

    read_names(_written(folder / "names.json", data))


def _predicates(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.reader import read_predicates

    read_predicates(_written(folder / "p.json", data))


def _source(kind: str, data: bytes, folder: Path) -> None:
    """Annotations of many pictures, from which a data set is built."""
    from distortion_graph.datasets.sources import parse_source

    _written(folder / "a.png", b"")
    _written(folder / f"{kind}.json", data)
    source = parse_source(f"{kind}:{folder / kind}.json,images={folder},masks={folder}")
    list(source.items())


def _shard(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.shards.reading import read_shard

    for picture in read_shard(_written(folder / "s.tar", data)):
        for version in picture.versions:
            picture.record(version)
            picture.stats_entry(version)


def _shards_file(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.shards.contents import read_shards_file

    _written(folder / "shards.json", data)
    read_shards_file(folder)


def _opinions(data: bytes, folder: Path) -> None:
    from distortion_graph.bench.human.layouts import read_csv_list

    _written(folder / "opinions.csv", data)
    read_csv_list(folder)


# ---- batches, gates, settings ------------------------------------------------------------------


def _pairs(name: str, data: bytes, folder: Path) -> None:
    from distortion_graph.batch.manifests import read_manifest

    pairs = read_manifest(str(_written(folder / name, data)))
    _expect(len({pair.id for pair in pairs}) == len(pairs), "ids")


def _policy(data: bytes, folder: Path) -> None:
    from distortion_graph.gate.policy_files import load_policy

    load_policy(_written(folder / "gate.yml", data))


def _baseline(data: bytes, folder: Path) -> None:
    from distortion_graph.gate.baseline import load_baseline
    from distortion_graph.gate.policy_files import policy_of

    policy = policy_of({"loss": {"region": 0.1}})
    load_baseline(_written(folder / "b.json", data), policy, "m")


def _settings(data: bytes, folder: Path) -> None:
    from distortion_graph.training.config_files import plain, read_config

    plain(read_config(_written(folder / "t.yaml", data)))


def _journal(data: bytes, folder: Path) -> None:
    from distortion_graph.work.journal import Journal

    with Journal(_written(folder / "j.jsonl", data), "fuzz 1", advice="begin anew") as journal:
        journal.begin({"run": 1})


def _bench_result(data: bytes, folder: Path) -> None:
    from distortion_graph.bench.results import read_result

    read_result(_written(folder / "b.json", data))


# ---- language models ---------------------------------------------------------------------------

_IDS = (0, 1, 2, 7)


def _reply(data: bytes, folder: Path) -> None:
    """Every way in which a reply is read; none of them may refuse."""
    from distortion_graph.mllm.ask.answers import parse_answer
    from distortion_graph.mllm.ask.assessment import parse_assessment
    from distortion_graph.mllm.ask.whole import parse_whole

    text = data.decode("utf-8", "replace")
    answer = parse_answer(text, _IDS, DEFAULT_VOCABULARY)
    _expect(
        set(answer.regions) <= set(_IDS) and not set(answer.regions) & set(answer.unusable), "ids"
    )
    for said in answer.regions.values():
        for node in (said.anchor, said.target):
            _expect(node.distortion in DEFAULT_VOCABULARY.distortions, "label")
            _expect(node.score is None or 0 <= node.score <= 1, "score")
    assessment = parse_assessment(text, _IDS)
    _expect(all(i in _IDS for s in assessment.sentences for i in s.regions), "regions")
    parse_whole(text, DEFAULT_VOCABULARY)


def _completion(data: bytes, folder: Path) -> None:
    """The HTTP body that an endpoint answers with."""
    import httpx2 as httpx
    import openai

    from distortion_graph.mllm.client.endpoint import OpenAIEndpoint
    from distortion_graph.mllm.client.messages import Request, Text

    endpoint = OpenAIEndpoint("m", base_url="http://127.0.0.1:1/v1")
    kind = {"content-type": "application/json"}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=data, headers=kind)

    endpoint._client = openai.OpenAI(
        api_key="none",
        base_url=endpoint.base_url,
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    )
    reply = endpoint.send(Request("", (Text("a"),)))
    _expect(isinstance(reply.text, str) and reply.usage.output_tokens >= 0, "reply")


def _kept_reply(data: bytes, folder: Path) -> None:
    """What is not as it was written counts as not there; nothing is refused."""
    from distortion_graph.mllm.client.cache import ReplyCache

    digest = "ab" * 32
    place = folder / digest[:2]
    place.mkdir(exist_ok=True)
    _written(place / f"{digest}.json", data)
    ReplyCache(folder).get(digest)


# ---- models ------------------------------------------------------------------------------------

_WEIGHTS = Path(__file__).parents[2] / "src/distortion_graph/weights"


def _model_manifest(data: bytes, folder: Path) -> None:
    from distortion_graph.predict.session import load_model

    _written(folder / "model.json", data)
    model = load_model(folder)
    model.identity.info.model_dump_json()


@cache
def _pooling() -> list[bytes]:
    return [(_WEIGHTS / "pooling.onnx").read_bytes()]


def _onnx(data: bytes, folder: Path) -> None:
    """A network that was made to do harm: the manifest has its right sum."""
    from distortion_graph.predict.loading import Networks, read_manifest
    from distortion_graph.predict.names import MODEL_FILES, POOLING_FILE

    for name in MODEL_FILES:
        _written(folder / name, data if name == POOLING_FILE else b"")
    value = json.loads((_WEIGHTS / "model.json").read_text("utf-8"))
    value["sha256"] = hashlib.sha256(data).hexdigest()
    _written(folder / "model.json", json.dumps(value).encode())
    Networks(folder, read_manifest(folder), None).session(POOLING_FILE, 1)


def _safetensors(data: bytes, folder: Path) -> None:
    from distortion_graph.training.checkpoint import read_weights

    _written(folder / "network.safetensors", data)
    read_weights(folder)


def _network_config(data: bytes, folder: Path) -> None:
    from distortion_graph.training.checkpoint import load_network

    _written(folder / "network.json", data)
    _written(folder / "network.safetensors", _kept("safetensors", "two.safetensors"))
    load_network(folder)


def _checkpoint_config(data: bytes, folder: Path) -> None:
    from distortion_graph.segment.checkpoint import read_config

    for name in ("preprocessor_config.json", "model.safetensors"):
        _written(folder / name, b"{}")
    _written(folder / "config.json", data)
    read_config(folder)


# ---- videos, service ---------------------------------------------------------------------------


def _video(data: bytes, folder: Path) -> None:
    from distortion_graph.video.colours import conversion, settle
    from distortion_graph.video.reading import Reader as Frames
    from distortion_graph.video.reading import open_video

    video = open_video(_written(folder / "v.mp4", data))
    _expect(all(line.isprintable() for line in video.notes), "notes")
    (tags,), _ = settle([video.tags], video.size, [video.name])
    converted = conversion(tags, video.orientation)
    frames = Frames(video)
    for number, frame in enumerate(frames):
        rgb, _ = converted.rgb(frame.image)
        _expect(rgb.dtype == np.uint8 and rgb.shape[2] == 3 and frame.lasts_s >= 0, "frame")
        if number == 3:
            break
    _expect(all(line.isprintable() for line in frames.notes(complete=False)), "notes")


class _NoWork:
    """A service's pool that reads what was sent and works on nothing."""

    ready, full = True, False

    async def call(self, work: Any, task: Any, *, patient: bool = False) -> Any:
        from distortion_graph.serve.http.work import Answer

        await task()
        forms = {form: b"{}" for form in ("application/json", "text/html", "image/png")}
        return Answer(forms, (), 0, 0)

    def busy(self) -> None:
        return None


@cache
def _application() -> tuple[Any, Any, list[BaseException]]:
    from distortion_graph.serve.http.app import Application
    from distortion_graph.serve.http.settings import Limits, Settings

    # Of a malformed form the framework leaves files open, until nobody knows of them any more.
    warnings.simplefilter("ignore", ResourceWarning)
    defects: list[BaseException] = []
    limits = Limits(bytes_per_request=1 << 20, bytes_per_job=1 << 20, upload_seconds=60)
    application = Application(Settings(limits=limits), on_defect=defects.append)
    application.service.pool = _NoWork()  # type: ignore[assignment]
    return application, asyncio.new_event_loop(), defects


def _body(path: str, data: bytes, folder: Path) -> None:
    """A request whose body is anything, as far as the workers."""
    application, loop, defects = _application()
    headers = [
        (b"host", b"localhost"),
        (b"content-type", b"multipart/form-data; boundary=b"),
        (b"content-length", str(len(data)).encode()),
    ]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers,
        "scheme": "http", "client": ("127.0.0.1", 1), "server": ("localhost", 80), "root_path": "",
    }  # fmt: skip
    sent: list[Mapping[str, Any]] = []
    messages = [{"type": "http.request", "body": data, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.sleep(3600)

    async def send(message: Any) -> None:
        sent.append(message)

    loop.run_until_complete(application(scope, receive, send))
    for job in list(application.service.jobs._jobs.values()):
        loop.run_until_complete(application.service.jobs.delete(job))
    if defects:
        raise defects.pop()
    status, body = sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:])
    if status >= 400:
        problem = json.loads(body)
        _expect(status < 500, f"status {status}")
        _expect(problem["detail"].isprintable(), f"detail {problem['detail']!r}")


# ---- all of them -------------------------------------------------------------------------------


def _kept(reader: str, name: str) -> bytes:
    return _bytes_of(CORPUS / reader / name)


@cache
def _bytes_of(path: Path) -> bytes:
    return path.read_bytes()


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _pictures() -> list[Reader]:
    kinds = {
        "jpeg": ("p.jpg", changed_bytes),
        "png": ("p.png", changed_png),
        "webp": ("p.webp", changed_bytes),
        "tiff": ("p.tif", changed_bytes),
        "bmp": ("p.bmp", changed_bytes),
        "gif": ("p.gif", changed_bytes),
        "avif": ("p.avif", changed_bytes),
        "heif": ("p.heic", changed_bytes),
        "jpeg-xl": ("p.jxl", changed_bytes),
    }
    needs = {"heif": "pillow_heif", "jpeg-xl": "pillow_jxl"}
    return [
        Reader(
            f"picture-{kind}",
            partial(_picture, name),
            mutate,
            ImageError,
            name,
            needs=needs.get(kind),
        )
        for kind, (name, mutate) in kinds.items()
    ]


def _all() -> list[Reader]:
    region = partial(Reader, refusal=RegionError, named="m.")
    data_set = partial(Reader, refusal=DatasetError)
    return [
        *_pictures(),
        data_set("data-set-picture", _data_set_picture, changed_png, named="p.png"),
        region("label-map", _label_map, changed_png),
        region("label-map-names", _named_label_map, changed_json, named=""),
        region("panoptic-json", _panoptic_json, changed_json, named=""),
        region("panoptic-png", _panoptic_png, changed_png, named=""),
        region("alpha", _alpha, changed_png),
        region("rle-text", _rle_text, changed_bytes, named="m: "),
        region("rle-runs", _rle_runs, changed_json, named="m: "),
        region("coco", partial(_table, "m.json"), changed_json),
        region("labelme", partial(_table, "m.json"), changed_json),
        region("label-studio", partial(_table, "m.json"), changed_json),
        region("geojson", partial(_table, "m.json"), changed_json),
        region("graph-regions", partial(_table, "m.json"), changed_json),
        region("cvat", partial(_table, "m.xml"), changed_text),
        region("svg", partial(_table, "m.svg"), changed_text),
        Reader("graph", _graph, changed_json, GraphError, "g.json"),
        Reader("graph-published", _graph, changed_json, GraphError, "g.json"),
        Reader("graph-node-link", _graph, changed_json, GraphError, "g.json"),
        Reader("graph-json-ld", _graph, changed_json, GraphError, "g.json"),
        Reader("graphml", _graph, changed_text, GraphError, "g.json"),
        Reader("vocabulary", _vocabulary, changed_json, VocabularyError, "v.json"),
        data_set("stats", _stats, changed_json, named="s.json"),
        data_set("stats-stream", _stats_stream, changed_json, named="s.json"),
        data_set("manifest", _manifest, changed_lines, named="manifest.jsonl"),
        data_set("pair-lists", _pair_lists, changed_text, named="i.py"),
        data_set("dataset-json", _description, changed_json, named="dataset.json"),
        data_set("split-lists", _splits, changed_json, named="splits.json"),
        Reader("held-out", _names, changed_json, named="names.json"),
        data_set("predicates", _predicates, changed_json, named="p.json"),
        Reader("source-coco", partial(_source, "coco"), changed_json, named="coco.json"),
        Reader("source-psg", partial(_source, "psg"), changed_json, named="psg.json"),
        data_set("shard", _shard, changed_bytes, named="s.tar"),
        data_set("shards-json", _shards_file, changed_json, named="shards.json"),
        data_set("opinions", _opinions, changed_text, named="opinions.csv"),
        Reader("pairs-csv", partial(_pairs, "p.csv"), changed_text, BatchError, "p.csv"),
        Reader("pairs-jsonl", partial(_pairs, "p.jsonl"), changed_lines, BatchError, "p.jsonl"),
        Reader(
            "pairs-parquet",
            partial(_pairs, "p.parquet"),
            changed_bytes,
            BatchError,
            "p.parquet",
            needs="pyarrow",
        ),
        Reader("policy", _policy, changed_text, PolicyError, "gate.yml", quick=40, needs="yaml"),
        Reader("baseline", _baseline, changed_json, PolicyError, "b.json"),
        Reader("settings", _settings, changed_text, named="t.yaml", quick=40, needs="torch"),
        Reader("journal", _journal, changed_lines, WorkError, "j.jsonl"),
        Reader("bench-result", _bench_result, changed_json, named="b.json"),
        Reader("reply", _reply, changed_json, needs="json_repair"),
        Reader("completion", _completion, changed_json, named="127.0.0.1", needs="openai"),
        Reader("kept-reply", _kept_reply, changed_json),
        Reader("model-json", _model_manifest, changed_json, ModelError, "model"),
        Reader("model-onnx", _onnx, changed_bytes, ModelError, more=_pooling),
        Reader("safetensors", _safetensors, changed_bytes, ModelError, needs="torch"),
        Reader("network-json", _network_config, changed_json, ModelError, needs="torch"),
        Reader("checkpoint-config", _checkpoint_config, changed_json, ModelError, "config.json"),
        Reader("video", _video, changed_bytes, VideoError, "v.mp4", quick=60, needs="av"),
        Reader("http-compare", partial(_body, "/v1/compare"), changed_text, needs="fastapi"),
        Reader("http-rank", partial(_body, "/v1/rank"), changed_text, needs="fastapi"),
        Reader("http-jobs", partial(_body, "/v1/jobs"), changed_text, needs="fastapi"),
    ]


READERS: Mapping[str, Reader] = {reader.name: reader for reader in _all()}
