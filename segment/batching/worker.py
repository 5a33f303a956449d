"""A worker: a process that does one picture after another, for as long as its parent lives.

It speaks JSON lines over its standard input and output. It is started as a program of its own and
not by `multiprocessing`, so a script that calls `segment.batch` needs no main guard, and a crash
takes down nothing but the worker.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import Any, BinaryIO


def main() -> None:
    """Answer the requests on standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, answers stay answers
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    import cv2

    from segment.batching.picture import Task, process, warm

    def send(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content).encode("ascii") + b"\n")
        answers.flush()

    def ask(n_bytes: float) -> None:
        send({"ask": int(n_bytes)})
        requests.get()

    task: Task | None = None
    while True:
        request = requests.get()
        if "task" in request:
            task = Task.from_dict(request["task"])
            cv2.setNumThreads(task.n_threads)  # or each worker would take every core
        elif "warm" in request:
            if task is not None:
                warm(task.recipe)
            send({"warm": True})
        elif task is not None:
            send({"entry": process(task, request["job"], ask)})


def listen(stream: BinaryIO, requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Queue what the parent says; when it says no more, it is gone, and so are we."""
    for line in stream:
        requests.put(json.loads(line))
    os._exit(0)


if __name__ == "__main__":
    main()
