#!/usr/bin/env node
// A chat client on Node's events: the keyboard, the server, and protocole.md.
//
//     node client.js localhost:2222 --name alice
//
// Numbers in comments are clauses of protocole.md. Each typed line is sent as a message. The end of the input sends
// BYE.
"use strict";

const net = require("node:net");
const { parseArgs } = require("node:util");

const MAX_LINE = 8192; // 1.3
const MAX_WAITING = 16; // how many messages may have no reply yet before the keyboard has to wait
const LF = 0x0a;

// 7.3: escapes control characters and those that change the direction of text, so that no text from the network
// controls the terminal.
function escaped(text) {
  return text.replace(
    /[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u{${character.charCodeAt(0).toString(16)}}`,
  );
}

function show(text) {
  process.stdout.write(escaped(text) + "\n");
}

// Splits a stream of bytes into lines (7.5), with bounded memory (7.7).
class Lines {
  bytes = Buffer.alloc(0);
  dropping = false; // whether these bytes go on a line that is too long
  dropped = 0; // how many lines were too long

  add(data) {
    this.bytes = Buffer.concat([this.bytes, data]);
  }

  // The next line, or null. A line that is too long comes out empty.
  next() {
    const end = this.bytes.indexOf(LF);
    const line = this.bytes.subarray(0, end < 0 ? this.bytes.length : end);
    if (line.length >= MAX_LINE && !this.dropping) {
      this.dropping = true;
      this.dropped += 1;
    }
    const isWhole = !this.dropping;
    if (end < 0) {
      if (this.dropping) this.bytes = Buffer.alloc(0);
      return null;
    }
    this.bytes = this.bytes.subarray(end + 1);
    this.dropping = false;
    return isWhole ? line.toString().replace(/\r$/, "") : "";
  }
}

class Client {
  constructor(server, name) {
    this.server = server;
    this.name = name;
    this.joined = name === undefined; // A guest joins with its first line (2.3).
    this.asked = false; // whether the server waits for another name
    this.waiting = 0; // how many messages have no reply yet (7.6)
    this.refused = 0;
    this.typing = true;
    this.left = false;
    this.network = new Lines();
    this.keyboard = new Lines();
  }

  send(line) {
    this.server.write(line + "\r\n");
  }

  run() {
    this.send(this.joined ? "" : `PROT 0.1 CONNECT USER ${this.name}`);
    this.server.on("data", (data) => this.read(data));
    this.server.on("error", () => this.gone());
    this.server.on("end", () => this.gone()); // 1.7: drop the incomplete line in this.network
    process.stdin.on("data", (data) => {
      this.keyboard.add(data);
      this.type();
    });
    process.stdin.on("end", () => {
      this.typing = false;
      if (this.keyboard.bytes.length > 0) this.keyboard.add(Buffer.from("\n"));
      this.type();
    });
    this.type();
  }

  read(data) {
    this.network.add(data);
    for (let line = this.network.next(); line !== null; line = this.network.next()) {
      if (this.hear(line) === "end") return this.gone();
    }
    this.type();
  }

  // Sends what was typed, as far as the server keeps up.
  type() {
    while (this.canSay()) {
      const line = this.keyboard.next();
      if (line === null) break;
      this.say(line);
    }
    if (this.canSay()) process.stdin.resume();
    else process.stdin.pause();
    if (this.typing || this.keyboard.bytes.length > 0) return;
    if (this.joined && this.waiting === 0 && !this.left) {
      this.left = true;
      this.send("BYE"); // 3.8, 4.3
    } else if (this.asked) {
      this.gone();
    }
  }

  canSay() {
    return (this.joined || this.asked) && this.waiting < MAX_WAITING;
  }

  say(line) {
    if (this.asked) {
      this.asked = false;
      this.name = line;
      this.send(`NAME ${line}`);
    } else if (line !== "") {
      this.waiting += 1;
      this.send(this.name === undefined ? line : `MSG ${line}`);
    }
  }

  hear(line) {
    const [verb, name, word, ...rest] = line.split(" ");
    if (verb === "FROM" && word === "MSG" && rest.length > 0) {
      show(`<${name}> ${rest.join(" ")}`);
    } else if (verb === "JOIN" && name !== undefined && word === undefined) {
      show(`* ${name} is here`);
    } else if (verb === "LOGOUT" && name !== undefined && word === undefined) {
      show(`* ${name} has left`);
    } else if (line.startsWith("NOTICE ")) { // 7.8
      show(`* notice: ${line.slice(7)}`);
    } else if (line === "PING") {
      this.send("PONG"); // 7.4
    } else if (line === "WELCOME") {
      this.joined = true;
    } else if (line === "NAME FAILURE" && !this.joined) {
      show(`! the name ${this.name} cannot be had`);
    } else if (line === "NAME REQ" && !this.joined) { // 3.3: a person may type another name, a script ends
      if (!process.stdin.isTTY) return "end";
      show("! type another");
      this.asked = true;
    } else if ((line === "OK" || line === "BAD REQ") && this.joined) {
      if (this.waiting > 0) { // 7.2: ignore a reply without a request
        this.waiting -= 1;
        if (line === "BAD REQ") this.refused += 1;
      }
      if (line === "BAD REQ") show("! refused");
    } else if (line === "BYE" || (!this.joined && (line === "BAD PROT" || line === "BAD REQ"))) {
      show(`! ${line}`);
      return "end"; // 6.7
    } else if (line !== "" && line !== "NAME OK" && line !== "PONG") {
      show(`? ${line}`); // 7.1
    }
    return null;
  }

  // 7.6: a message without a reply may have been delivered, so it is not sent again.
  gone() {
    if (this.waiting > 0) show(`! the end; messages without an answer: ${this.waiting}`);
    if (this.keyboard.dropped > 0) show(`! too long, not sent: ${this.keyboard.dropped}`);
    const isFine = this.left && this.waiting + this.refused + this.keyboard.dropped === 0;
    process.exitCode = isFine ? 0 : 1;
    this.server.removeAllListeners("data").destroy();
    process.stdin.destroy();
  }
}

function main() {
  const options = { name: { type: "string" } }; // without it you are a guest
  const { positionals, values } = parseArgs({ options, allowPositionals: true });
  const [, host, port] = (positionals[0] ?? "localhost:2222").match(/^\[?(.*?)\]?:(\d+)$/) ?? [];
  if (port === undefined) {
    console.error("usage: node client.js HOST:PORT [--name NAME]");
    process.exit(2);
  }
  const server = net.createConnection({ host, port: Number(port), noDelay: true });
  server.once("error", (error) => {
    console.error(error.message);
    process.exit(1);
  });
  server.once("connect", () => {
    server.removeAllListeners("error");
    new Client(server, values.name).run();
  });
}

main();
