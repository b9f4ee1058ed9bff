#!/usr/bin/env python3
"""Servers with one fault each, to test the judge: `server.py --fault NAME`. Run alone, this file prints the names."""

import time

from server import NAMED, PLAIN, Server

FAULTS = {}


def fault(name):
    def keep(kind):
        FAULTS[name] = kind
        return kind
    return keep


@fault("no-ok")
class NoOk(Server):
    def message(self, client, text):
        self.say(f"FROM {client.name} MSG {text}", client)


@fault("ok-twice")
class OkTwice(Server):
    def message(self, client, text):
        client.send("OK")
        super().message(client, text)


@fault("ok-out-of-place")
class OkOutOfPlace(Server):
    """Delays each OK. Another client's message may come between a message and its OK."""
    turn = 0.05

    def message(self, client, text):
        client.late = getattr(client, "late", []) + [time.monotonic() + self.turn]
        self.say(f"FROM {client.name} MSG {text}", client)

    def look_after(self, client):
        while getattr(client, "late", []) and client.late[0] < time.monotonic():
            client.late.pop(0)
            client.send("OK")
        super().look_after(client)


@fault("bad-req-out-of-order")
class BadReqOutOfOrder(Server):
    def take(self, client, data):
        super().take(client, data)
        client.to_send += getattr(client, "held", b"")
        client.held = b""

    def message(self, client, text):
        client.held = getattr(client, "held", b"") + b"OK" + client.newline
        self.say(f"FROM {client.name} MSG {text}", client)


@fault("lf-only")
class LfOnly(Server):
    def framed(self, client, line):
        super().framed(client, line[:-1] if line.endswith(b"\r") else line)


@fault("truncates")
class Truncates(Server):
    def message(self, client, text):
        super().message(client, text[:1024])


@fault("splits-characters")
class SplitsCharacters(Server):
    """Decodes what it reads before it looks for lines."""
    def take(self, client, data):
        text = data.decode(errors="replace" if b"\xc3" in data or b"\xf0" in data else "surrogateescape")
        super().take(client, text.encode(errors="surrogateescape"))


@fault("one-read-one-line")
class OneReadOneLine(Server):
    """Takes only the first line of each read, and drops the rest."""
    def take(self, client, data):
        first, end, _ = data.partition(b"\n")
        super().take(client, first + end)


@fault("relays-to-sender")
class RelaysToSender(Server):
    def message(self, client, text):
        client.send("OK")
        self.say(f"FROM {client.name} MSG {text}", None)


@fault("forgets-logout")
class ForgetsLogout(Server):
    def say(self, line, by):
        if not line.startswith("LOGOUT"):
            super().say(line, by)


@fault("logout-only-on-bye")
class LogoutOnlyOnBye(Server):
    def bye(self, client):
        super().say(f"LOGOUT {client.name}", client)
        super().bye(client)

    def say(self, line, by):
        if not line.startswith("LOGOUT"):
            super().say(line, by)


@fault("joins-to-newcomer")
class JoinsToNewcomer(Server):
    def join(self, client, name, state):
        super().join(client, name, state)
        client.send(f"JOIN {name}")


@fault("names-case-sensitive")
class NamesCaseSensitive(Server):
    def is_taken(self, name):
        return any(other.name == name for other in self.clients if other.joined())


@fault("names-lower-case")
class NamesLowerCase(Server):
    def join(self, client, name, state):
        super().join(client, name.lower(), state)


@fault("names-never-free")
class NamesNeverFree(Server):
    used = set()

    def is_taken(self, name):
        return name.lower() in self.used

    def join(self, client, name, state):
        self.used.add(name.lower())
        super().join(client, name, state)


@fault("names-without-end")
class NamesWithoutEnd(Server):
    def login(self, client, name):
        client.failures = 0
        super().login(client, name)


@fault("names-of-guests")
class NamesOfGuests(Server):
    def login(self, client, name):
        super().login(client, name if not name.lower().startswith("guest") else name + "x")


@fault("dies-on-bad-utf8")
class DiesOnBadUtf8(Server):
    def decode(self, line):
        return line.decode()


@fault("bye-stays-open")
class ByeStaysOpen(Server):
    def bye(self, client):
        client.send("BYE")


@fault("bye-stops-all")
class ByeStopsAll(Server):
    def bye(self, client):
        for other in self.clients:
            other.send("BYE")
            self.end(other)


@fault("trims")
class Trims(Server):
    def message(self, client, text):
        super().message(client, text.strip() or "?")


@fault("roster-without-asker")
class RosterWithoutAsker(Server):
    def roster(self, client):
        names = [other.name for other in self.clients if other.joined() and other is not client]
        client.send(" ".join(["LIST CLIENTS", str(len(names)), *names]))


@fault("speaks-first")
class SpeaksFirst(Server):
    def look_after(self, client):
        if not hasattr(client, "greeted"):
            client.greeted = True
            client.send("WELCOME to the server")
        super().look_after(client)


@fault("no-welcome")
class NoWelcome(Server):
    def join(self, client, name, state):
        client.to_send = client.to_send.replace(b"WELCOME" + client.newline, b"")
        super().join(client, name, state)


@fault("bad-req-closes")
class BadReqCloses(Server):
    def refuse(self, client):
        super().refuse(client)
        self.end(client)


@fault("ignores-unknown")
class IgnoresUnknown(Server):
    def refuse(self, client):
        if client.state != NAMED:
            super().refuse(client)


@fault("relays-controls")
class RelaysControls(Server):
    def request(self, client, line):
        if line.startswith("MSG ") and len(line) < 1000:
            self.message(client, line[4:])
        else:
            super().request(client, line)


@fault("delivers-unfinished")
class DeliversUnfinished(Server):
    def end(self, client):
        if client.received and client.joined():
            self.line(client, client.received.decode(errors="replace"))
        super().end(client)


@fault("relays-http")
class RelaysHttp(Server):
    def first(self, client, line):
        if "HTTP/" in line:
            client.state = PLAIN
            self.guests += 1
            self.join(client, f"guest{self.guests}", PLAIN)
            return self.plain(client, line)
        return super().first(client, line)


@fault("pong-answered")
class PongAnswered(Server):
    def request(self, client, line):
        if line == "PONG":
            client.send("PONG")
        super().request(client, line)


@fault("half-close-drops")
class HalfCloseDrops(Server):
    """Delays each reply, and drops it if the client closes its sending side meanwhile."""
    turn = 0.02

    def take(self, client, data):
        client.kept, client.fresh = getattr(client, "kept", b"") + data, True

    def look_after(self, client):
        if getattr(client, "kept", b"") and not client.closing:
            if not client.fresh:
                data, client.kept = client.kept, b""
                super().take(client, data)
            client.fresh = False
        super().look_after(client)


@fault("stray-cr")
class StrayCr(Server):
    def decode(self, line):
        return super().decode(line.replace(b"\r", b" "))


@fault("endless-line")
class EndlessLine(Server):
    def too_long(self, client):
        client.overlong = 0


@fault("lower-case-verbs")
class LowerCaseVerbs(Server):
    def request(self, client, line):
        verb, space, text = line.partition(" ")
        super().request(client, verb.upper() + space + text)


@fault("any-version")
class AnyVersion(Server):
    def prot(self, client, line):
        words = line.split(" ")
        super().prot(client, " ".join(["PROT", "0.1", *words[2:]]) if len(words) > 2 else line)


@fault("history")
class History(Server):
    """Sends the last message to each new client."""
    def message(self, client, text):
        self.last = f"FROM {client.name} MSG {text}"
        super().message(client, text)

    def join(self, client, name, state):
        super().join(client, name, state)
        if hasattr(self, "last"):
            client.send(self.last)


if __name__ == "__main__":
    print("\n".join(FAULTS))
