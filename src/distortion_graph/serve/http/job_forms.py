"""What a job is sent as: files, and a list of pairs that names them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from distortion_graph.base.files import HeldFile
from distortion_graph.graph import SIDES
from distortion_graph.serve.http.forms import PairOptions, Text
from distortion_graph.serve.http.jobs import Job, Pair, Sent
from distortion_graph.serve.http.problems import Problem
from distortion_graph.serve.http.spool import Spool
from distortion_graph.serve.http.work import HTML, JSON, PNG, PairTask, shown_name


class PairEntry(BaseModel):
    """A pair of a job: names of files that are sent with it."""

    model_config = ConfigDict(extra="forbid")

    id: Text | None = Field(None, description="By default its number, from 1.")
    anchor: Text
    target: Text
    reference: Text | None = Field(None, description="A file's name, or anchor or target.")
    regions: list[Text] | Text | None = Field(
        None, description="A word, or names of files with masks; by default the job's regions."
    )


_LISTED: TypeAdapter[list[PairEntry]] = TypeAdapter(list[PairEntry])


class JobForm(PairOptions):
    """Many pairs, and how each of them is compared."""

    pairs: str = Field(
        description='The pairs as JSON, a list of {"id", "anchor", "target", "reference", '
        '"regions"} with names of files in it; id, reference and regions may be missing.'
    )
    files: list[UploadFile] = Field(
        min_length=1, description="All pictures and masks, each with the name that pairs give it."
    )
    regions: list[Text] = Field(
        ["auto"],
        min_length=1,
        description="Of pairs without regions of their own: a word, or names of files.",
    )
    reports: bool = Field(False, description="Make the report of every pair too.")
    overlays: bool = Field(False, description="Draw the overlay of every pair too.")
    lossy: bool = Field(False, description="Make the reports smaller, their pictures with loss.")

    async def job(self, owner: str | None, most_pairs: int) -> Job:
        """The job, its files on a disk. Raises Problem for pairs that cannot be meant."""
        listed = self._listed(most_pairs)
        sent = Spool()
        try:
            files = await self._sent(sent)
            forms = (JSON, *((HTML,) if self.reports else ()), *((PNG,) if self.overlays else ()))
            made = [_Made(self, entry, files, forms) for entry in listed]
            return Job(owner, [Pair(one.checked().entry.id or "", one) for one in made], sent)
        except BaseException:
            sent.close()
            raise

    def _listed(self, most: int) -> list[PairEntry]:
        try:
            entries = _LISTED.validate_json(self.pairs)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = "".join(f"[{part!r}]" for part in first["loc"])
            raise Problem("request", f"pairs{place}: {first['msg']}") from None
        if not 0 < len(entries) <= most:
            raise Problem("request", f"pairs: found {len(entries)}, expected from 1 to {most}")
        for number, entry in enumerate(entries, start=1):
            entry.id = entry.id or str(number)
        [(name, times)] = Counter(entry.id for entry in entries).most_common(1)
        if times > 1:
            raise Problem("request", f"pairs: {times} have the id {name!r}, expected one each")
        return entries

    async def _sent(self, spool: Spool) -> dict[str, Sent]:
        """The files by the names that they were sent under."""
        files: dict[str, Sent] = {}
        for number, upload in enumerate(self.files, start=1):
            name = upload.filename or f"file {number}"
            if name in files:
                raise Problem("request", f"files: two are called {name[:80]!r}, expected one")
            data = await upload.read()
            files[name] = Sent(shown_name(name, name), await asyncio.to_thread(spool.put, data))
        return files


@dataclass(frozen=True)
class _Made:
    """Makes the task of a pair."""

    form: JobForm
    entry: PairEntry
    files: Mapping[str, Sent]
    forms: tuple[str, ...]

    def checked(self) -> _Made:
        """Itself; raises Problem for a file that was not sent."""
        self.form.check_metric(self.entry.reference is not None)
        self(lambda sent: HeldFile(sent.name, b""))
        return self

    def __call__(self, read: Callable[[Sent], HeldFile]) -> PairTask:
        """The task of files as `read` gives them."""
        entry = self.entry
        reference = entry.reference
        of_pair = entry.regions if entry.regions is not None else self.form.regions
        words = [of_pair] if isinstance(of_pair, str) else of_pair
        files: dict[str, Any] = {
            "anchor": read(self._file(entry.anchor)),
            "target": read(self._file(entry.target)),
            "reference": reference
            if reference is None or reference in SIDES
            else read(self._file(reference)),
            "regions": tuple(
                read(self.files[word]) if word in self.files else word for word in words
            ),
        }
        return self.form.task(files, forms=self.forms, lossy=self.form.lossy)

    def _file(self, name: str) -> Sent:
        if name not in self.files:
            raise Problem(
                "request",
                f"pair {self.entry.id!r}: no file {name[:80]!r} was sent, expected one of "
                f"{', '.join(list(self.files)[:8])}",
            )
        return self.files[name]
