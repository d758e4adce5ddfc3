"""What a person should know when both videos have been read, a line each."""

from __future__ import annotations

from collections.abc import Sequence

from distortion_graph.video.colours import hdr_note
from distortion_graph.video.pairing import Moments
from distortion_graph.video.preparing import Prepared
from distortion_graph.video.reading import Video
from distortion_graph.video.sampling import time_text


def closing_notes(prepared: Prepared, moments: Moments, clipped: Sequence[float]) -> list[str]:
    """Where one video goes on without the other, what is damaged, and what HDR lost."""
    videos = prepared.job.videos
    lines = []
    for video, made, share in zip(videos, prepared.job.conversions, clipped, strict=True):
        if made.hdr is not None:
            lines.append(hdr_note(video.name, made.hdr, share))
    readers = [moments.anchor, *(other.reader for other in moments.others)]
    whole = [moments.ended is None, *(other.ended for other in moments.others)]
    for reader, complete in zip(readers, whole, strict=True):
        lines += reader.notes(complete=complete)
    if moments.before:
        lines.append(
            f"{videos[1].name}: begins later; {moments.before} moments before were left out"
        )
    last = time_text(moments.to_s)
    if moments.ended is not None:
        ended = videos[1 + moments.ended]
        lines.append(f"{_end(ended, moments, last)}; {videos[0].name} goes on")
    else:
        for other in moments.others:
            left = _left_s(other.reader.video, other.offset_s, moments)
            if left > 2 * max(other.reader.video.frame_s, videos[0].frame_s):
                lines.append(
                    f"{videos[0].name}: ends, {other.reader.video.name} goes on for "
                    f"{left:.2f} s; what both show was compared, up to {last}"
                )
    return lines


def _end(video: Video, moments: Moments, last: str) -> str:
    return f"{video.name}: ends earlier; what both show was compared, up to {last}"


def _left_s(video: Video, offset_s: float, moments: Moments) -> float:
    """How long a video goes on behind the anchor's end, as far as its file says."""
    if video.duration_s is None:
        return 0.0
    return video.duration_s - offset_s - moments.anchor.trouble.ended_s
