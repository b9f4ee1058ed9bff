#!/usr/bin/env python3
"""A chat server in one thread: `select` over all clients, and protocole.md.

    python3 server.py localhost:2222

Numbers in comments are clauses of protocole.md. The server has one thread, so all clients receive
messages in the same order without any lock (5.2): the order of the calls of `say`.
"""

import argparse
import re
import select
import signal
import socket
import time
import unicodedata

MAX_LINE, MAX_UNTERMINATED, MAX_TEXT, MAX_FAILURES = 8192, 65536, 2000, 5  # 8.1
LOGIN_DEADLINE, PING_AFTER, PONG_WITHIN, MAX_STALL, MAX_BEHIND = 120, 60, 3, 10, 4 << 20  # 8.2
NOT_CHAT = set(range(9)) | {0x0B, 0x0C, 0x7F, 0xC0, 0xC1} | set(range(0x0E, 0x20)) | set(range(0xF5, 0x100))  # 2.4

NEW, ASKED, NAMED, PLAIN, LEFT = "new", "asked", "named", "plain", "left"


def is_text(text):
    """1.5: 1 to 2,000 characters, no control characters but TAB."""
    return 0 < len(text) <= MAX_TEXT and all(c == "\t" or unicodedata.category(c) != "Cc" for c in text)


def is_name(name):
    """1.6, 2.7: 1 to 20 letters and digits, and no guest's name."""
    return bool(re.fullmatch("[A-Za-z0-9]{1,20}", name)) and not re.fullmatch("guest[0-9]+", name.lower())


class Client:
    """The state of one connection."""

    def __init__(self, connection):
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.state = NEW
        self.name = None
        self.failures = 0
        self.newline = b"\r\n"
        self.received = b""  # the start of an incomplete line
        self.overlong = 0  # how many bytes of a line that is too long were dropped
        self.to_send = b""
        self.closing = None  # when to close the connection, if the session is over
        self.since = self.heard = self.took = time.monotonic()
        self.pinged = False

    def joined(self):
        return self.state in (NAMED, PLAIN)

    def send(self, line):
        self.to_send += line.encode() + self.newline


class Server:
    def __init__(self, host, port, settings):
        self.listener = socket.create_server((host, port), backlog=128)
        self.settings = settings
        self.turn = min(1, settings.login_deadline / 4, settings.ping_after / 4)  # seconds between looks at the clock
        self.clients = []
        self.guests = 0

    # The loop.

    def run(self):
        while True:
            writers = [client.socket for client in self.clients if client.to_send]
            readers = [self.listener] + [client.socket for client in self.clients]
            readable, writable, _ = select.select(readers, writers, [], self.turn)
            for client in [client for client in self.clients if client.socket in writable]:
                self.write(client)
            if self.listener in readable:
                self.clients.append(Client(self.listener.accept()[0]))
            for client in [client for client in self.clients if client.socket in readable]:
                self.read(client)
            for client in list(self.clients):
                self.write(client)
                self.look_after(client)

    def write(self, client):
        try:
            if client.to_send:
                client.to_send = client.to_send[client.socket.send(client.to_send):]
                client.took = time.monotonic()
            if not client.to_send and client.closing and client.closing > time.monotonic() + 0.9:
                client.closing = time.monotonic() + 0.9
                client.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self.drop(client)

    def read(self, client):
        try:
            data = client.socket.recv(2000)
        except BlockingIOError:
            return
        except OSError:
            data = b""
            client.to_send = b""
        if client.closing:
            if not data:
                self.drop(client)
            return  # 6.7: read and drop what the client still sends
        if not data:
            self.end(client)  # 1.7: drop the incomplete line in client.received
            return
        client.heard, client.pinged = time.monotonic(), False
        self.take(client, data)

    def look_after(self, client):
        """Checks the deadlines of 2.5, 6.1, 6.5 and 6.7."""
        now, settings = time.monotonic(), self.settings
        stalled = client.to_send and now > client.took + settings.max_stall
        if not client.to_send:
            client.took = now
        if client.closing:
            if now > client.closing:
                self.drop(client)
        elif not client.joined():
            if now > client.since + settings.login_deadline:  # 2.5
                self.end(client)
        elif stalled or len(client.to_send) > MAX_BEHIND:  # 6.5
            client.to_send = b""
            self.end(client)
        elif client.pinged and now > client.heard + settings.ping_after + settings.pong_within:  # 6.1
            self.end(client)
        elif client.state == NAMED and not client.pinged and now > client.heard + settings.ping_after:  # 6.1
            client.send("PING")
            client.pinged = True

    # Lines.

    def take(self, client, data):
        """Splits received bytes into lines (1.1). Keeps an incomplete line (7.5)."""
        client.received += data
        while not client.closing:
            if client.state == NEW and NOT_CHAT & set(client.received.split(b"\n")[0]):
                return self.refuse(client)
            line, end, rest = client.received.partition(b"\n")
            if not end:
                return self.too_long(client) if client.overlong or len(line) >= MAX_LINE else None
            client.received = rest
            if client.overlong:
                client.overlong = 0
            elif len(line) >= MAX_LINE:
                self.refuse(client)
            else:
                self.framed(client, line)

    def too_long(self, client):
        """1.3, 1.4: answers once, drops the line, and disconnects a client whose line never ends."""
        if not client.overlong:
            self.refuse(client)
        client.overlong += len(client.received)
        client.received = b""
        if client.overlong >= MAX_UNTERMINATED:
            self.end(client)

    def framed(self, client, line):
        if client.state == NEW:
            client.newline = b"\r\n" if line.endswith(b"\r") else b"\n"  # 1.2
        line = line.removesuffix(b"\r")
        text = self.decode(line)
        if text is None:
            if client.state == NEW:
                client.newline = b"\r\n"  # 1.2: the line is not text, so answer with CRLF
            return self.refuse(client)
        self.line(client, text)

    def decode(self, line):
        """1.1, 1.3: the text of a line, or None."""
        try:
            return None if b"\r" in line else line.decode()
        except UnicodeDecodeError:
            return None

    def refuse(self, client):
        """Sends BAD REQ. Before login, also closes (2.4, 3.4)."""
        client.send("BAD REQ")
        if not client.joined():
            self.end(client)

    def line(self, client, line):
        if client.state == NEW:
            self.first(client, line)
        elif client.state == ASKED:
            if line == "NAME" or line.startswith("NAME "):
                self.login(client, line[5:])
            else:
                self.refuse(client)
        elif client.state == NAMED:
            self.request(client, line)
        else:
            self.plain(client, line)

    # Section 2: the first line decides.

    def first(self, client, line):
        words = line.split(" ")
        if words[0] == "PROT":
            self.prot(client, line)
        elif (len(words) >= 3 and words[-1].startswith("HTTP/")) or (line and not is_text(line)):
            self.refuse(client)
        elif self.settings.no_plain:  # 2.8
            client.send("BAD PROT")
            self.end(client)
        else:
            self.guests += 1
            self.join(client, f"guest{self.guests}", PLAIN)
            self.plain(client, line)

    def prot(self, client, line):
        version, _, rest = line[5:].partition(" ")
        if version not in ("", "0.1"):
            client.send("BAD PROT")
            self.end(client)
        elif version and rest == "CONNECT NEW":
            client.state = ASKED
            client.send("NAME REQ")
        elif version and (rest == "CONNECT USER" or rest.startswith("CONNECT USER ")):
            client.state = ASKED
            self.login(client, rest[13:])
        else:
            self.refuse(client)

    # Section 3: named sessions.

    def login(self, client, name):
        if is_name(name) and not self.is_taken(name):
            client.send("NAME OK")
            client.send("WELCOME")
            return self.join(client, name, NAMED)
        client.send("NAME FAILURE")
        client.failures += 1
        if client.failures >= MAX_FAILURES:
            self.end(client)
        else:
            client.send("NAME REQ")

    def is_taken(self, name):
        return any(other.name.lower() == name.lower() for other in self.clients if other.joined())

    def request(self, client, line):
        verb, space, text = line.partition(" ")
        if verb == "MSG" and space and is_text(text):
            self.message(client, text)
        elif line == "REQ CLIENTS":
            self.roster(client)
        elif line == "PING":
            client.send("PONG")
        elif line == "BYE":
            self.bye(client)
        elif line != "PONG":
            self.refuse(client)

    def roster(self, client):
        """3.6: sends the roster in as many lines as necessary."""
        names = [other.name for other in self.clients if other.joined()]
        names_per_line = 380  # 380 names of 20 characters and their spaces fit into one line.
        for start in range(0, len(names), names_per_line):
            client.send(f"LIST CLIENTS {len(names)} {' '.join(names[start:start + names_per_line])}")

    # Section 4: plain sessions.

    def plain(self, client, line):
        if line == "BYE":
            self.bye(client)
        elif is_text(line):
            self.message(client, line)
        elif line:
            self.refuse(client)

    # Lines to other clients.

    def message(self, client, text):
        client.send("OK")
        self.say(f"FROM {client.name} MSG {text}", client)

    def join(self, client, name, state):
        self.say(f"JOIN {name}", client)
        client.name, client.state = name, state

    def say(self, line, by):
        """Sends the line to all clients except `by`."""
        for other in self.clients:
            if other is not by and other.joined():
                other.send(line)

    def bye(self, client):
        client.send("BYE")
        self.end(client)

    def end(self, client):
        """Ends the session. Pending lines are still sent (6.4)."""
        if client.joined():
            self.say(f"LOGOUT {client.name}", client)
        client.state, client.received = LEFT, b""
        client.closing = time.monotonic() + 10

    def drop(self, client):
        if not client.closing:
            self.end(client)
        client.socket.close()
        if client in self.clients:
            self.clients.remove(client)

    def stop(self):
        """6.3: sends BYE to all clients, and closes."""
        for client in self.clients:
            client.socket.setblocking(True)
            client.socket.settimeout(1)
            if client.joined():
                client.send("BYE")
            try:
                client.socket.sendall(client.to_send)
            except OSError:
                pass
            client.socket.close()


def main():
    parser = argparse.ArgumentParser(description="A chat server.")
    parser.add_argument("address", nargs="?", default="localhost:2222", help="HOST:PORT; port 0: any free port")
    parser.add_argument("--login-deadline", type=float, default=LOGIN_DEADLINE, metavar="S", help="2.5")
    parser.add_argument("--ping-after", type=float, default=PING_AFTER, metavar="S", help="6.1")
    parser.add_argument("--pong-within", type=float, default=PONG_WITHIN, metavar="S", help="6.1")
    parser.add_argument("--max-stall", type=float, default=MAX_STALL, metavar="S", help="6.5")
    parser.add_argument("--no-plain", action="store_true", help="refuse plain sessions (2.8)")
    settings = parser.parse_args()
    host, _, port = settings.address.rpartition(":")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = Server(host, int(port), settings)
    except OSError as error:
        parser.error("cannot listen on {}: {}".format(settings.address, error.strerror or error))
    print("listening on {}:{}".format(*server.listener.getsockname()), flush=True)
    try:
        server.run()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
