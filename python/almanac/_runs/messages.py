"""Messages to runs and from them, for programs beside the runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .commands import in_project

__all__ = ["Message", "messages", "send"]


@dataclass(frozen=True)
class Message:
    """
    A message to a run (`direction` is `"in"`) or from it (`"out"`). `seq` is its place among all, `at` ms since 1970, `call`
    the call that received or sent it, `run` the other run, `error` why it was set aside.

    ```python
    from almanac import Message

    if __name__ == "__main__":
        found = Message(seq=5, direction="out", name="found", value={"peak": 4}, at=1795303303889, call=3)
        print(found.name, found.value["peak"])  # prints found 4
    ```
    """

    seq: int
    direction: str
    name: str
    value: Any
    at: int
    by: str | None = None
    call: int | None = None
    run: str | None = None
    error: str | None = None


def send(run: str, name: str, value: Any = None, *, id: str | None = None, project: str | None = None) -> bool:
    """
    Sends a message to a run, by its id or `"last"`, which receives it by `run.receive`: it is kept when this returns,
    whether a process has the run or not. One with an `id` that was sent before is not sent again, which gives False.
    Raises `AlmanacError`.

    ```python
    from almanac import AlmanacError, send

    if __name__ == "__main__":
        try:
            send("1m7zno", "steer", {"gain": 2})
        except AlmanacError as error:
            print(error.code)  # prints ALM_RUN_UNKNOWN
    ```
    """
    words = ["send", run, name, "-", *([] if id is None else ["--id", id])]
    told = in_project(words, project, json.dumps(value, allow_nan=False))
    return bool(told[-1]["isNew"])


def messages(run: str, name: str | None = None, *, project: str | None = None) -> list[Message]:
    """
    Messages to a run and from it, by its id or `"last"`, oldest first. Raises `AlmanacError`.

    ```python
    from almanac import AlmanacError, messages

    if __name__ == "__main__":
        try:
            print([message.value for message in messages("1m7zno", "found")])
        except AlmanacError as error:
            print(error.code)  # prints ALM_RUN_UNKNOWN
    ```
    """
    told = in_project(["messages", run, *([] if name is None else [name])], project)
    return [_message(one) for one in told if one["kind"] == "message"]


def _message(told: dict[str, Any]) -> Message:
    error = told.get("error")
    return Message(
        told["seq"],
        told["direction"],
        told["name"],
        told["value"],
        told["at"],
        by=told.get("by"),
        call=told.get("call"),
        run=told.get("run"),
        error=None if error is None else error["message"],
    )
