"""A task that does what a test tells it, step by step: see src/testing/executors/puppet-control.ts."""

import json
import os
import signal
import socket
import subprocess
import sys

import almanac_task


def puppet(control, token):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(control)
    with connection:
        return play(connection, token)


def play(connection, token):
    send(connection, {"hello": token, "pid": os.getpid()})
    scene = Scene(connection)
    while not scene.over:
        try:
            scene.step()
        except KeyboardInterrupt:
            if not scene.stubborn:
                raise
            send(connection, {"told": "stop"})
    return scene.value


class Scene:
    def __init__(self, connection):
        self.connection = connection
        self.rest = b""
        self.stubborn = False
        self.over = False
        self.value = None

    def step(self):
        while b"\n" not in self.rest:
            more = self.connection.recv(1 << 16)
            if not more:
                raise ConnectionError("the test let go of this puppet")
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        order = json.loads(line)
        answer = {"id": order["id"], "ok": True}
        what = order["do"]
        if what == "log":
            print(order["text"], file=getattr(sys, order["stream"]), flush=True)
        elif what == "flood":
            for _ in range(order["bytes"] // 100):
                print("x" * 99)
        elif what == "say":
            say(order["line"])
        elif what == "stubborn":
            self.stubborn = True
        elif what == "child":
            answer["pid"] = subprocess.Popen(["sleep", "1000"]).pid
        elif what == "succeed":
            self.over = True
            self.value = order["value"]
        send(self.connection, answer)
        if what == "fail":
            raise RuntimeError(order["message"])
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)


def say(line):
    kind = line.pop("type")
    getattr(almanac_task, kind)(**line)


def send(connection, message):
    connection.sendall((json.dumps(message) + "\n").encode())


def instant(value):
    return value
