# SPDX-License-Identifier: MIT
"""qmp_client: a client of QEMU's machine protocol, as its specification has it"""
import json
import socket


class QmpError(Exception):
    def __init__(self, error):
        super().__init__(error["desc"])
        self.kind = error["class"]


class QmpClient:
    def __init__(self, path, patience_s=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(patience_s)
        self.socket.connect(path)
        self.lines = self.socket.makefile(encoding="utf-8")
        self.events = []
        self.number = 0
        self.greeting = json.loads(self.lines.readline())["QMP"]
        self.execute("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.lines.close()
        self.socket.close()

    def hear(self):
        line = self.lines.readline()
        if not line:
            raise EOFError
        return json.loads(line)

    def execute(self, command, /, **arguments):
        """Names with _ for - in arguments that Python has no name for."""
        return self.call(command, {
            k.replace("__", "-"): v for k, v in arguments.items()})

    def call(self, command, arguments):
        self.number += 1
        request = {"execute": command, "id": self.number}
        if arguments:
            request["arguments"] = arguments
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self.hear()
            if "event" in answer:
                self.events.append(answer)
                continue
            assert answer.get("id") == self.number, answer
            if "error" in answer:
                raise QmpError(answer["error"])
            return answer["return"]

    def wait_event(self, name):
        """The next of that name; those before it are forgotten."""
        while True:
            event = self.events.pop(0) if self.events else self.hear()
            if event["event"] == name:
                return event["data"]
