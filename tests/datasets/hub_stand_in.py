"""The part of the hub's HTTP interface that pushing and pulling a data set uses, on 127.0.0.1.

Written from what the client sends: repositories, branches, commits (regular files in the request,
large ones through the LFS batch and PUT, checked by SHA-256), listings and downloads.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = re.compile(r"\.(tar|png|jpg|PNG)$")
TOKEN = "hf_" + "t" * 30


def git_oid(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Repo:
    private: bool
    # Branch and commit names → the commit; commit → {path: content}.
    refs: dict[Any, Any] = field(default_factory=dict)
    trees: dict[Any, Any] = field(default_factory=dict)
    commits: list[Any] = field(default_factory=list)

    def commit(self, branch, tree):
        sha = hashlib.sha1(repr((branch, len(self.commits))).encode()).hexdigest()
        self.refs[branch] = self.refs[sha] = sha
        self.trees[sha] = tree
        self.commits.append((branch, sha))
        return sha

    def tree(self, revision):
        return self.trees[self.refs[revision]]


class RefusalError(Exception):
    def __init__(self, status, code="", message="", **more):
        self.status, self.code, self.message, self.more = status, code, message, more


class Hub:
    """Its state. `fail` is called with (method, path) of every request and may raise."""

    def __init__(self):
        self.repos, self.blobs, self.requests = {}, {}, []
        self.lock = threading.Lock()
        self.fail = lambda method, path: None
        self.damage = {}  # path → content sent instead
        self.need_token = False
        self.url = ""

    def repo(self, name):
        if name not in self.repos:
            raise RefusalError(404, "RepoNotFound")
        return self.repos[name]

    def answer(self, method, path, query, headers, body):
        """(status, headers, body) of a request."""
        self.requests.append((method, path))
        self.fail(method, path)
        # Addresses for uploads carry their permission in themselves.
        signed = path.startswith("/upload/")
        if self.need_token and not signed and headers.get("Authorization") != f"Bearer {TOKEN}":
            raise RefusalError(401, "", "Invalid credentials in Authorization header")
        for verb, pattern, function in ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return function(self, *found.groups(), query=query, headers=headers, body=body)  # type: ignore[operator]
        raise RefusalError(404, "", f"no such call: {method} {path}")

    def create(self, *, body, **_):
        value = json.loads(body)
        name = f"{value['organization']}/{value['name']}"
        assert value["type"] == "dataset"
        url = f"{self.url}/datasets/{name}"
        if name in self.repos:
            raise RefusalError(409, "", "You already created this dataset repo", url=url)
        self.repos[name] = Repo(value.get("visibility") == "private")
        self.repos[name].commit("main", {".gitattributes": b"*.tar filter=lfs\n"})
        return send({"url": url})

    def branch(self, name, branch, *, body, **_):
        repo, value = self.repo(name), json.loads(body)
        if branch in repo.refs:
            raise RefusalError(409, "", "Reference already exists")
        repo.refs[branch] = repo.refs[value.get("startingPoint", "main")]
        return send({})

    def info(self, name, revision="main", **_):
        repo = self.repo(name)
        if revision not in repo.refs:
            raise RefusalError(404, "RevisionNotFound")
        sha = repo.refs[revision]
        return send({"id": name, "sha": sha, "private": repo.private, "siblings": []})

    def listing(self, name, revision, *, query, **_):
        assert query["recursive"] == ["true"]
        tree = self.repo(name).tree(revision)
        entries = [{"type": "directory", "path": "a-folder", "oid": "0" * 40}]
        for path, data in tree.items():
            entry = {"type": "file", "path": path, "size": len(data), "oid": git_oid(data)}
            if LARGE.search(path):
                sha = hashlib.sha256(data).hexdigest()
                entry["oid"] = git_oid(sha.encode())  # of the pointer, not of the content
                entry["lfs"] = {"oid": sha, "size": len(data), "pointerSize": 130}
            entries.append(entry)
        half = len(entries) // 2
        if "cursor" in query:
            return send(entries[half:])
        link = (
            f'<{self.url}/api/datasets/{name}/tree/{revision}?recursive=true&cursor=2>; rel="next"'
        )
        return send(entries[:half], {"Link": link})

    def preupload(self, name, revision, *, body, **_):
        tree = self.repo(name).tree(revision)
        files = []
        for file in json.loads(body)["files"]:
            mode = "lfs" if LARGE.search(file["path"]) else "regular"
            old = tree.get(file["path"])
            if old is not None:
                old = hashlib.sha256(old).hexdigest() if mode == "lfs" else git_oid(old)
            files.append(
                {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": old}
            )
        return send({"files": files})

    def batch(self, name, *, body, **_):
        value = json.loads(body)
        assert value["operation"] == "upload" and value["hash_algo"] == "sha256"
        objects = []
        for item in value["objects"]:
            if item["oid"] not in self.blobs:
                href = f"{self.url}/upload/{item['oid']}/{item['size']}"
                item = item | {"actions": {"upload": {"href": href}}}
            objects.append(item)
        return send({"transfer": "basic", "objects": objects})

    def upload(self, oid, size, *, body, **_):
        if hashlib.sha256(body).hexdigest() != oid or len(body) != int(size):
            raise RefusalError(400, "", "the content is not what was announced")
        self.blobs[oid] = body
        return send({})

    def commit(self, name, branch, *, body, **_):
        repo = self.repo(name)
        tree = dict(repo.tree(branch))
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                assert value["encoding"] == "base64"
                tree[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                if value["oid"] not in self.blobs:
                    raise RefusalError(400, "", "an LFS file that was never uploaded")
                tree[value["path"]] = self.blobs[value["oid"]]
            else:
                assert entry["key"] == "header"
        sha = repo.commit(branch, tree)
        return send({"commitOid": sha, "commitUrl": f"{self.url}/datasets/{name}/commit/{sha}"})

    def yaml(self, **_):
        return send({"errors": [], "warnings": []})

    def resolve(self, name, revision, path, **_):
        tree = self.repo(name).tree(revision)
        if path not in tree:
            raise RefusalError(404, "EntryNotFound")
        data = self.damage.get(path, tree[path])
        etag = hashlib.sha256(data).hexdigest() if LARGE.search(path) else git_oid(data)
        sha = self.repo(name).refs[revision]
        headers = {"X-Repo-Commit": sha, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        return 200, headers, data


def send(value, headers=None):
    data = json.dumps(value).encode()
    return 200, {"Content-Type": "application/json"} | (headers or {}), data


NAME = r"([\w.-]+/[\w.-]+)"
ROUTES = [
    ("POST", "/api/repos/create", Hub.create),
    ("POST", "/api/validate-yaml", Hub.yaml),
    ("POST", f"/api/datasets/{NAME}/branch/([^/]+)", Hub.branch),
    ("GET", f"/api/datasets/{NAME}", Hub.info),
    ("GET", f"/api/datasets/{NAME}/revision/([^/]+)", Hub.info),
    ("GET", f"/api/datasets/{NAME}/tree/([^/]+)", Hub.listing),
    ("POST", f"/api/datasets/{NAME}/preupload/([^/]+)", Hub.preupload),
    ("POST", f"/api/datasets/{NAME}/commit/([^/]+)", Hub.commit),
    ("POST", rf"/datasets/{NAME}\.git/info/lfs/objects/batch", Hub.batch),
    ("PUT", r"/upload/(\w+)/(\d+)", Hub.upload),
    ("HEAD", f"/datasets/{NAME}/resolve/([^/]+)/(.+)", Hub.resolve),
    ("GET", f"/datasets/{NAME}/resolve/([^/]+)/(.+)", Hub.resolve),
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits 40 ms for the client

    def log_message(self, *_):
        pass

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _serve(self):
        hub, place = self.server.hub, urlsplit(self.path)  # type: ignore[attr-defined]
        body = self._body()
        try:
            with hub.lock:
                status, headers, data = hub.answer(
                    self.command, unquote(place.path), parse_qs(place.query), self.headers, body
                )
        except RefusalError as refusal:
            data = json.dumps({"error": refusal.message} | refusal.more).encode()
            status, headers = refusal.status, {"X-Error-Code": refusal.code}
            headers["X-Error-Message"] = refusal.message
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_HEAD = _serve  # noqa: N815


@contextmanager
def hub_running():
    """A hub on a free port of this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hub, hub.url = hub, f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
