"""A process that asks many questions: `python asking_process.py URL CACHE COUNT AGAIN`.

Prints a line an answer, then how many were under way when an earlier one was killed.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from distortion_graph.mllm.client.cache import ReplyCache, UnderWayError
from distortion_graph.mllm.client.client import Client, run_all
from distortion_graph.mllm.client.endpoint import OpenAIEndpoint
from distortion_graph.mllm.client.messages import Request, Text

CONCURRENCY = 8


def main(url: str, cache: str, count: str, again: str) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stop = threading.Event()
    client = Client(
        OpenAIEndpoint("tiny", base_url=url),
        ReplyCache(Path(cache)),
        stop=stop,
        ask_again=again == "again",
    )

    def task(number: int) -> str:
        try:
            return client.ask(Request("Count.", (Text(f"question {number}"),))).text
        except UnderWayError:
            return "under way"

    def tasks():
        for number in range(int(count)):
            yield lambda number=number: task(number)

    left = 0
    print("ready", flush=True)
    for text in run_all(tasks(), CONCURRENCY, stop):
        left += text == "under way"
        print(text, flush=True)
    print("left", left, flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
