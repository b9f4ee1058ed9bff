#!/usr/bin/env python3
"""Runs server.py or client.py with one fault, to test the judge.

    python3 faults.py server relays-to-sender localhost:2222
    python3 faults.py client trims localhost:2222 --name alice
    python3 faults.py server --list

The faults are the lines of server.faults and client.faults: a name, the clause that the fault breaks, and the edit of
the source, OLD ==> NEW. Edits are separated by " && ". "¶" is the end of a line. An edit must apply exactly once.
A line that starts with "?" is a fault that no case catches. The comment above it says why.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def read(kind):
    """All faults of the file: name, clause, edits, and whether a case catches it."""
    with open(os.path.join(HERE, kind + ".faults"), encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line and not line.startswith("#"):
                name, clause, edits = line.removeprefix("? ").split(" ", 2)
                yield name, clause, edits, not line.startswith("? ")


def mutated(kind, wanted):
    """The source of the peer with this fault."""
    with open(os.path.join(HERE, kind + ".py"), encoding="utf-8") as file:
        source = file.read()
    edits = {name: edits for name, _, edits, _ in read(kind)}[wanted]
    for edit in edits.split(" && "):
        old, new = (text.replace("¶", "\n") for text in edit.split(" ==> "))
        if source.count(old) != 1:
            sys.exit(f"{wanted}: found {source.count(old)} times instead of once: {old}")
        source = source.replace(old, new)
    return source


def main():
    kind, name = sys.argv[1:3]
    if name == "--list":
        for fault, clause, _, caught in read(kind):
            mutated(kind, fault)
            print(fault, clause, "caught" if caught else "passes")
        return
    sys.argv[:3] = [kind + ".py"]
    exec(compile(mutated(kind, name), f"{kind}.py with {name}", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main()
