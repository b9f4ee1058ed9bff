#!/usr/bin/env python3
"""A chat client: `select` over the keyboard and the server, and protocole.md.

    python3 client.py localhost:2222 --name alice

Numbers in comments are clauses of protocole.md. Each typed line is sent as a message. The end of the input sends BYE.
"""

import argparse
import os
import select
import socket
import sys
import unicodedata

MAX_LINE = 8192  # 1.3


def escaped(text):
    """7.3: escapes control and invisible characters, so that no text from the network controls the terminal."""
    return "".join(f"\\u{{{ord(c):x}}}" if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\t" else c
                   for c in text)


def show(text):
    print(escaped(text), flush=True)


class Lines:
    """Splits a stream of bytes into lines (7.5), with bounded memory (7.7)."""

    def __init__(self):
        self.rest = b""
        self.dropping = False

    def take(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if not self.dropping and len(line) < MAX_LINE:
                yield line.removesuffix(b"\r").decode(errors="replace")
            self.dropping = False
        if len(self.rest) >= MAX_LINE:
            self.rest, self.dropping = b"", True


class Client:
    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.joined = name is None  # A guest joins with its first line (2.3).
        self.waiting = 0  # how many messages have no reply yet (7.6)
        self.refused = 0
        self.asked = False  # whether the server waits for another name
        self.typing = True
        self.typed = []  # lines typed before the login was complete
        self.left = False

    def send(self, line):
        self.server.sendall(line.encode() + b"\r\n")

    def run(self):
        self.send("" if self.joined else f"PROT 0.1 CONNECT USER {self.name}")
        keyboard, network = Lines(), Lines()
        while True:
            sources = [self.server] + ([sys.stdin] if self.typing else [])
            readable, _, _ = select.select(sources, [], [])
            if self.server in readable:
                try:
                    data = self.server.recv(2000)
                except OSError:
                    data = b""
                if not data:
                    return self.gone()  # 1.7: drop the incomplete line in network.rest
                for line in network.take(data):
                    if self.hear(line) == "end":
                        return self.gone()
            if sys.stdin in readable:
                data = os.read(sys.stdin.fileno(), 2000)
                self.typing = bool(data)
                lines = list(keyboard.take(data or (b"\n" if keyboard.rest else b"")))
                for line in lines:
                    self.say(line)
            if not self.typing and self.joined and not self.waiting and not self.left:
                self.left = True
                self.send("BYE")  # 3.8, 4.3
            elif not self.typing and self.asked:
                return self.gone()

    def say(self, line):
        if self.asked:
            self.asked, self.name = False, line
            self.send(f"NAME {line}")
        elif not self.joined:
            self.typed.append(line)
        elif line:
            self.waiting += 1
            self.send(line if self.name is None else f"MSG {line}")

    def hear(self, line):
        verb, _, rest = line.partition(" ")
        name, _, said = rest.partition(" ")
        if verb == "FROM" and said.startswith("MSG "):
            show(f"<{name}> {said[4:]}")
        elif verb in ("JOIN", "LOGOUT") and rest:
            show(f"* {rest} {'is here' if verb == 'JOIN' else 'has left'}")
        elif verb == "NOTICE" and rest:  # 7.8
            show(f"* notice: {rest}")
        elif line == "PING":
            self.send("PONG")  # 7.4
        elif line == "WELCOME":
            self.joined = True
            typed, self.typed = self.typed, []
            for text in typed:
                self.say(text)
        elif line == "NAME FAILURE" and not self.joined:
            show(f"! the name {self.name} cannot be had: type another")
        elif line == "NAME REQ" and not self.joined:  # 7.2: ignore a stray one
            self.asked = True
            if self.typed:
                self.say(self.typed.pop(0))
        elif line in ("OK", "BAD REQ") and self.joined:
            if self.waiting:  # 7.2: ignore a reply without a request
                self.waiting -= 1
                self.refused += line == "BAD REQ"
            if line == "BAD REQ":
                show("! refused")
        elif line == "BYE" or (line in ("BAD REQ", "BAD PROT") and not self.joined):
            show(f"! {line}")
            return "end"  # 6.7
        elif line not in ("NAME OK", "PONG"):
            show(f"? {line}")  # 7.1
        return None

    def gone(self):
        """7.6: a message without a reply may have been delivered, so it is not sent again."""
        if self.waiting:
            show(f"! the end; messages without an answer: {self.waiting}")
        return 0 if self.left and not self.waiting and not self.refused else 1


def main():
    parser = argparse.ArgumentParser(description="A chat client.")
    parser.add_argument("address", nargs="?", default="localhost:2222", help="HOST:PORT")
    parser.add_argument("--name", help="without it you are a guest")
    arguments = parser.parse_args()
    host, _, port = arguments.address.rpartition(":")
    with socket.create_connection((host, int(port))) as server:
        try:
            sys.exit(Client(server, arguments.name).run())
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()
