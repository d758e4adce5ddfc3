"""Who may ask: tokens, hosts, origins; and the addresses that the command listens at."""

from __future__ import annotations

import hashlib
import re
import stat
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from served import QUICK, asked, problem

from distortion_graph.cli.main import run
from distortion_graph.serve.access import LOOPBACK, AccessError, Rules, Tokens, add_token
from distortion_graph.serve.http.app import FREE, Application
from distortion_graph.serve.http.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


@pytest.fixture
def token(file: Path) -> str:
    return add_token(file, "ci")


@pytest.fixture
def client(file: Path, token: str) -> TestClient:
    """A client of an application whose workers were not started."""
    settings = Settings(rules=Rules(hosts=LOOPBACK, tokens=Tokens(file), free=FREE))
    return TestClient(Application(settings), base_url="http://localhost")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_file_has_the_hash_of_a_token_of_256_bits_and_its_owner_alone(
    file: Path, token: str
) -> None:
    [line] = file.read_text().splitlines()
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert re.fullmatch(rf"ci sha256:{digest} \d{{4}}-\d\d-\d\dT[\d:]{{8}}Z", line)
    assert len(token) >= 43 and token not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    second = add_token(file, "other")
    assert second != token and len(file.read_text().splitlines()) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_only_a_token_of_the_file_is_let_in(client: TestClient, token: str) -> None:
    assert client.get("/v1/model", headers=bearer(token)).status_code == 200
    wrong = [{}, bearer("x"), bearer(""), {"Authorization": token}, bearer(token[:-1])]
    wrong += [bearer(token + "x"), {"Authorization": f"Basic {token}"}]
    for headers in wrong:
        response = client.get("/v1/model", headers=headers)
        assert "Authorization: Bearer TOKEN" in problem(response, 401, "token")
        assert response.headers["www-authenticate"] == "Bearer"
    for path in ("/v1/compare", "/v1/rank", "/v1/jobs"):
        problem(client.post(path, files=QUICK), 401, "token")
    for path in ("/metrics", "/v1/jobs/x"):
        problem(client.get(path), 401, "token")
    assert client.get("/healthz").status_code == 200
    assert client.get("/openapi.json").status_code == 200


def test_a_running_server_notices_tokens_that_come_and_go(
    client: TestClient, file: Path, token: str
) -> None:
    second = add_token(file, "second")
    assert client.get("/v1/model", headers=bearer(second)).status_code == 200
    file.write_text("".join(line for line in file.open() if not line.startswith("ci ")))
    problem(client.get("/v1/model", headers=bearer(token)), 401, "token")
    assert client.get("/v1/model", headers=bearer(second)).status_code == 200
    file.unlink()
    problem(client.get("/v1/model", headers=bearer(second)), 401, "token")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "holds no token, expected one; add one: distortion-graph serve-token NAME --tokens"),
        ("# none\n\n", "holds no token"),
        ("ci secret\n", ":1: expected NAME sha256:HEX TIME"),
    ],
)
def test_a_file_that_is_no_list_of_tokens_is_refused(file: Path, text: str, line: str) -> None:
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(AccessError, match=re.escape(line)):
        Tokens(file)


def test_a_file_that_others_may_write_or_that_is_not_there_is_refused(
    file: Path, token: str
) -> None:
    file.chmod(0o620)
    with pytest.raises(AccessError, match="others than its owner may write it; chmod 600"):
        Tokens(file)
    with pytest.raises(AccessError, match=r"cannot be read \(No such file"):
        Tokens(file.with_name("nowhere"))


def test_names_of_tokens_are_checked(file: Path, token: str) -> None:
    with pytest.raises(AccessError, match="has a token of ci already"):
        add_token(file, "ci")
    for name in ("", "a b", "x" * 65, "a\nb"):
        with pytest.raises(AccessError, match="expected a name of up to 64 letters"):
            add_token(file, name)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8000", ""])
def test_a_server_of_this_machine_answers_to_no_other_name(host: str) -> None:
    client = TestClient(Application(Settings()), base_url="http://localhost")
    problem(client.get("/healthz", headers={"Host": host}), 421, "host")
    for own in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert client.get("/healthz", headers={"Host": own}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:9"])
def test_pages_of_other_sites_are_refused(origin: str) -> None:
    client = TestClient(Application(Settings()), base_url="http://localhost:8000")
    response = client.post("/v1/compare", files=QUICK, headers={"Origin": origin})
    problem(response, 403, "origin")
    assert "access-control-allow-origin" not in response.headers
    preflight = client.options("/v1/compare", headers={"Origin": origin})
    problem(preflight, 403, "origin")
    own = client.get("/v1/model", headers={"Origin": "http://localhost:8000"})
    assert own.status_code == 200


@pytest.mark.slow
def test_a_job_is_its_tokens_own(file: Path, token: str) -> None:
    other = add_token(file, "other")
    rules = Rules(hosts=LOOPBACK, tokens=Tokens(file), free=FREE)
    with TestClient(Application(Settings(rules=rules)), base_url="http://localhost") as client:
        files = [("files", file) for file in QUICK.values()]
        data = {"pairs": '[{"anchor": "a.png", "target": "b.png"}]'}
        sent = client.post("/v1/jobs", files=files, data=data, headers=bearer(token))
        place = sent.headers["location"]
        assert client.get(place, headers=bearer(token)).status_code == 200
        problem(client.get(place, headers=bearer(other)), 404, "unknown")
        problem(client.delete(place, headers=bearer(other)), 404, "unknown")
        problem(client.get(place), 401, "token")
        assert asked(client).status_code == 401
        answer = client.post("/v1/compare", files=QUICK, headers=bearer(token))
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--host", "0.0.0.0"],
            "--host 0.0.0.0: others than this machine reach it, expected --tokens FILE too (or "
            "--open, to answer anybody)",
        ),
        (["--host", "::"], "--host ::: others than this machine reach it"),
        (["--tokens", "nowhere"], "nowhere: cannot be read (No such file or directory)"),
        (["--model", "nowhere"], "nowhere: no model there"),
        (["--port", "70000"], "expected less than or equal to 65535"),
    ],
)
def test_the_command_refuses_what_is_not_safe_or_not_there(
    arguments: list[str], line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and line in err


def test_tokens_and_open_exclude_each_other(
    file: Path, token: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", "--tokens", str(file), "--open"]) == 2
    assert "--tokens and --open exclude each other" in capfd.readouterr().err


def test_the_command_prints_a_token_once(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["serve-token", "me", "--tokens", str(file)]) == 0
    out, err = capfd.readouterr()
    assert err == "" and Tokens(file).name_of(out.strip()) == "me"
    assert run(["serve-token", "me", "--tokens", str(file)]) == 2
    assert run(["serve-token", "me", "--tokens", str(file / "below")]) == 2
    assert "Traceback" not in capfd.readouterr().err
