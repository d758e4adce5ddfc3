"""The hub's client, and its errors as one line each.

The token is the client's own affair: HF_TOKEN or what `hf auth login` stored. It is never read,
written or shown here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from distortion_graph.base.errors import DistortionGraphError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

REPO_TYPE = "dataset"

# Libraries that the client talks to the network with, in its releases so far.
_NETWORK = {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "hf_xet"}


class HubError(DistortionGraphError):
    """The hub cannot be reached, refuses, or has not what is asked for."""


def client(endpoint: str | None) -> HfApi:
    """The hub's client; `endpoint` is the hub's address, HF_ENDPOINT's or the public one if None.

    Raises HubError where the hub extra is missing.
    """
    if find_spec("huggingface_hub") is None:
        raise HubError(
            "the hub's client, huggingface_hub, is not installed: "
            "pip install 'distortion-graph[hub]'"
        )
    from huggingface_hub import HfApi

    return HfApi(endpoint=endpoint, library_name="distortion-graph")


@contextlib.contextmanager
def hub_errors(api: HfApi, repo_id: str, revision: str | None = None) -> Iterator[None]:
    """Turn what the client raises into a HubError, and show none of the client's own bars."""
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    shown = not are_progress_bars_disabled()
    try:
        if shown:
            disable_progress_bars()
        yield
    except DistortionGraphError:
        raise
    except Exception as error:
        line = _line(error, str(api.endpoint), repo_id, revision)
        if line is None:
            raise
        raise HubError(line) from error
    finally:
        if shown:
            enable_progress_bars()


def _line(error: BaseException, hub: str, repo_id: str, revision: str | None) -> str | None:
    """What to say of an error; None where it is not the hub's."""
    from huggingface_hub import errors

    known: BaseException | None = error
    while known is not None:
        match known:
            case errors.OfflineModeIsEnabled():
                return f"{repo_id}: HF_HUB_OFFLINE is set, so {hub} is not asked; unset it"
            case errors.HFValidationError():
                return f"{repo_id!r:.120}: not a name on the hub, expected NAMESPACE/NAME"
            case errors.GatedRepoError():
                return f"{repo_id}: access must be asked for first, on {hub}/datasets/{repo_id}"
            case errors.RevisionNotFoundError():
                return f"{repo_id}: has no revision {revision or 'main'!r} on {hub}"
            case errors.RepositoryNotFoundError():
                return (
                    f"{repo_id}: no such data set on {hub}, or it is private and the token gives "
                    "no right to it; check the name, and HF_TOKEN or `hf auth login`"
                )
            case errors.HfHubHTTPError():
                return f"{repo_id}: {_answer(known, hub)}"
        if type(known).__module__.partition(".")[0] in _NETWORK or isinstance(
            known, ConnectionError | TimeoutError
        ):
            return f"{hub} cannot be reached ({known}); check the network and HF_ENDPOINT"
        known = known.__cause__
    return None


def _answer(error: BaseException, hub: str) -> str:
    """What an HTTP error of the hub says, in the hub's own words where it gave some."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    said = getattr(error, "server_message", None)
    why = f": {said}" if said else ""
    if status == 401:
        return f"{hub} did not accept the token (401{why}); check HF_TOKEN or `hf auth login`"
    if status == 403:
        return f"{hub} forbids it (403{why}); the token needs the right to write there"
    return f"{hub} answered {status}{why}; try again later"
