#!/usr/bin/env node
// A chat server on Node's events, and protocole.md.
//
//     node server.js localhost:2222
//
// Numbers in comments are clauses of protocole.md. Node runs one callback at a time, so all clients receive
// messages in the same order without any lock (5.2): the order of the calls of `say`.
"use strict";

const net = require("node:net");
const { parseArgs } = require("node:util");

const [MAX_LINE, MAX_UNTERMINATED, MAX_TEXT, MAX_FAILURES] = [8192, 65536, 2000, 5]; // 8.1
const [MAX_CLIENTS, LOGIN_DEADLINE, PING_AFTER, PONG_WITHIN, MAX_STALL] = ["1000", "120", "60", "3", "10"]; // 8.2
// 6.5: the server disconnects a client that does not take PIECE bytes within MAX_STALL, or is MAX_BEHIND bytes behind.
const PIECE = 4096, MAX_BEHIND = 4 << 20;
const LINGER = 0.9; // for how many seconds to read on after the last line (6.7)
const LF = 0x0a, CR = 0x0d;

const [NEW, ASKED, NAMED, PLAIN, LEFT] = ["new", "asked", "named", "plain", "left"];

// 1.5: 1 to 2,000 characters, no control characters but TAB.
function isText(text) {
  const characters = [...text].length; // `text.length` counts an emoji twice.
  return characters > 0 && characters <= MAX_TEXT && !/[\0-\x08\x0a-\x1f\x7f-\x9f]/.test(text);
}

// 1.6, 2.7: 1 to 20 letters and digits, and no guest's name.
function isName(name) {
  return /^[A-Za-z0-9]{1,20}$/.test(name) && !/^guest[0-9]+$/i.test(name);
}

// 2.4: bytes that no chat line has.
function isNotChat(byte) {
  return byte <= 0x08 || byte === 0x0b || byte === 0x0c || (byte >= 0x0e && byte <= 0x1f) || byte === 0x7f ||
    byte === 0xc0 || byte === 0xc1 || byte >= 0xf5;
}

// 1.3: throws if the bytes are not UTF-8. Keeps U+FEFF, which is text like any other (1.5).
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// The time in seconds.
function now() {
  return performance.now() / 1000;
}

// The state of one connection.
class Client {
  constructor(socket) {
    this.socket = socket;
    this.state = NEW;
    this.name = null;
    this.failures = 0;
    this.newline = "\r\n";
    this.received = Buffer.alloc(0); // the start of an incomplete line
    this.overlong = 0; // how many bytes of a line that is too long were dropped
    this.toSend = [];
    this.behind = 0; // how many bytes are in `toSend`
    this.writing = null; // since when a write is under way
    this.closing = false; // whether the session is over, and the connection is closed when all is sent
    this.shut = null; // when the sending side was closed
    this.since = this.heard = now();
    this.pinged = false;
  }

  joined() {
    return this.state === NAMED || this.state === PLAIN;
  }

  send(line) {
    const bytes = Buffer.from(line + this.newline);
    this.toSend.push(bytes);
    this.behind += bytes.length;
  }
}

class Server {
  constructor(settings) {
    this.settings = settings;
    this.clients = new Set();
    this.guests = 0;
  }

  // The loop is Node's: it calls these.

  run(host, port) {
    // Without `allowHalfOpen`, Node would close when the client closes its sending side (6.4).
    this.listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.accept(socket));
    this.listener.on("error", (error) => {
      console.error(error.message);
      process.exit(1);
    });
    this.listener.listen(port, host, () => {
      const { address, port, family } = this.listener.address();
      console.log(`listening on ${family === "IPv6" ? `[${address}]` : address}:${port}`);
    });
    const seconds = Math.min(1, this.settings.loginDeadline / 4, this.settings.pingAfter / 4);
    this.timer = setInterval(() => this.turn(), seconds * 1000);
  }

  // Runs after each event, and at least once a second.
  turn() {
    for (const client of this.clients) this.lookAfter(client);
    for (const client of this.clients) this.write(client);
  }

  accept(socket) {
    const client = new Client(socket);
    this.clients.add(client);
    socket.on("data", (data) => this.read(client, data));
    socket.on("end", () => this.read(client, null));
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => {
      this.drop(client);
      this.turn();
    });
    if (this.clients.size > this.settings.maxClients) { // 2.6
      client.send("BYE");
      this.end(client);
      this.turn();
    }
  }

  // Writes one piece. Node calls back when the kernel has taken it.
  write(client) {
    if (client.writing !== null || client.shut !== null) return;
    if (client.toSend.length > 0) {
      const bytes = client.toSend.length === 1 ? client.toSend[0] : Buffer.concat(client.toSend);
      client.toSend = bytes.length > PIECE ? [bytes.subarray(PIECE)] : [];
      client.behind = Math.max(0, bytes.length - PIECE);
      client.writing = now();
      client.socket.write(bytes.subarray(0, PIECE), (error) => {
        if (error) return; // "close" follows
        client.writing = null;
        this.write(client);
      });
    } else if (client.closing) {
      client.shut = now();
      client.socket.end();
    }
  }

  read(client, data) {
    if (data === null) {
      this.end(client); // 1.7: drop the incomplete line in client.received
    } else if (!client.closing) { // 6.7: otherwise read and drop what the client still sends
      client.heard = now();
      client.pinged = false;
      this.take(client, data);
    }
    this.turn();
  }

  // Checks the deadlines of 2.5, 6.1, 6.5 and 6.7.
  lookAfter(client) {
    const time = now();
    const { loginDeadline, pingAfter, pongWithin, maxStall } = this.settings;
    const stalls = client.writing !== null && time > client.writing + maxStall;
    const isOver = client.shut !== null && time > client.shut + LINGER;
    if (stalls || isOver || client.behind > MAX_BEHIND) {
      this.drop(client);
    } else if (client.closing) {
      return;
    } else if (!client.joined()) {
      if (time > client.since + loginDeadline) this.drop(client);
    } else if (client.pinged && time > client.heard + pingAfter + pongWithin) {
      this.drop(client);
    } else if (client.state === NAMED && !client.pinged && time > client.heard + pingAfter) {
      client.send("PING");
      client.pinged = true;
    }
  }

  // Section 1: lines.

  // Splits received bytes into lines (1.1). Keeps an incomplete line (7.5).
  take(client, data) {
    client.received = Buffer.concat([client.received, data]);
    while (!client.closing) {
      const end = client.received.indexOf(LF);
      const line = client.received.subarray(0, end < 0 ? client.received.length : end);
      if (client.state === NEW && line.some(isNotChat)) return this.refuse(client);
      const isTooLong = client.overlong > 0 || line.length >= MAX_LINE;
      if (isTooLong) this.tooLong(client, line.length);
      if (end < 0) {
        if (isTooLong) client.received = Buffer.alloc(0);
        return;
      }
      client.received = client.received.subarray(end + 1);
      if (isTooLong) client.overlong = 0;
      else this.framed(client, line);
    }
  }

  // 1.3, 1.4: answers once, drops the line, and disconnects a client whose line never ends.
  tooLong(client, length) {
    if (client.overlong === 0) this.refuse(client);
    client.overlong += length;
    if (client.overlong >= MAX_UNTERMINATED) this.end(client);
  }

  framed(client, line) {
    const hasCr = line.length > 0 && line[line.length - 1] === CR;
    const text = this.decode(hasCr ? line.subarray(0, -1) : line);
    // 1.2: a first line that is not text is answered with CRLF.
    if (client.state === NEW && text !== null) client.newline = hasCr ? "\r\n" : "\n";
    if (text === null) this.refuse(client);
    else this.line(client, text);
  }

  // 1.1, 1.3: the text of a line, or null.
  decode(line) {
    try {
      return line.includes(CR) ? null : UTF8.decode(line);
    } catch {
      return null;
    }
  }

  // Sends BAD REQ. Before login, also closes (2.4, 3.4).
  refuse(client) {
    client.send("BAD REQ");
    if (!client.joined()) this.end(client);
  }

  line(client, line) {
    if (client.state === NEW) this.first(client, line);
    else if (client.state === NAMED) this.request(client, line);
    else if (client.state === PLAIN) this.plain(client, line);
    else if (line === "NAME" || line.startsWith("NAME ")) this.login(client, line.slice(5));
    else this.refuse(client);
  }

  // Section 2: the first line decides.

  first(client, line) {
    const words = line.split(" ");
    if (words[0] === "PROT") {
      this.prot(client, line);
    } else if ((words.length >= 3 && words.at(-1).startsWith("HTTP/")) || (line !== "" && !isText(line))) {
      this.refuse(client);
    } else if (this.settings.noPlain) { // 2.8
      client.send("BAD PROT");
      this.end(client);
    } else {
      this.guests += 1;
      this.join(client, `guest${this.guests}`, PLAIN);
      this.plain(client, line);
    }
  }

  prot(client, line) {
    const [, version = "", ...words] = line.split(" ");
    const rest = words.join(" ");
    if (version !== "" && version !== "0.1") {
      client.send("BAD PROT");
      this.end(client);
    } else if (version !== "" && rest === "CONNECT NEW") {
      client.state = ASKED;
      client.send("NAME REQ");
    } else if (version !== "" && (rest === "CONNECT USER" || rest.startsWith("CONNECT USER "))) {
      client.state = ASKED;
      this.login(client, rest.slice(13));
    } else {
      this.refuse(client);
    }
  }

  // Section 3: named sessions.

  login(client, name) {
    if (isName(name) && !this.isTaken(name)) {
      client.send("NAME OK");
      client.send("WELCOME");
      return this.join(client, name, NAMED);
    }
    client.send("NAME FAILURE");
    client.failures += 1;
    if (client.failures >= MAX_FAILURES) this.end(client);
    else client.send("NAME REQ");
  }

  isTaken(name) {
    return [...this.clients].some((other) => other.joined() && other.name.toLowerCase() === name.toLowerCase());
  }

  request(client, line) {
    if (line.startsWith("MSG ") && isText(line.slice(4))) this.message(client, line.slice(4));
    else if (line === "REQ CLIENTS") this.roster(client);
    else if (line === "PING") client.send("PONG");
    else if (line === "BYE") this.bye(client);
    else if (line !== "PONG") this.refuse(client);
  }

  // 3.6: sends the roster in as many lines as necessary.
  roster(client) {
    const names = [...this.clients].filter((other) => other.joined()).map((other) => other.name);
    const namesPerLine = 380; // 380 names of 20 characters and their spaces fit into one line.
    for (let start = 0; start < names.length; start += namesPerLine) {
      client.send(`LIST CLIENTS ${names.length} ${names.slice(start, start + namesPerLine).join(" ")}`);
    }
  }

  // Section 4: plain sessions.

  plain(client, line) {
    if (line === "BYE") this.bye(client);
    else if (isText(line)) this.message(client, line);
    else if (line !== "") this.refuse(client);
  }

  // Section 5: lines to other clients.

  message(client, text) {
    client.send("OK");
    this.say(`FROM ${client.name} MSG ${text}`, client);
  }

  join(client, name, state) {
    this.say(`JOIN ${name}`, client);
    client.name = name;
    client.state = state;
  }

  // Sends the line to all clients except `by`.
  say(line, by) {
    for (const other of this.clients) {
      if (other !== by && other.joined()) other.send(line);
    }
  }

  // Section 6: the end.

  bye(client) {
    client.send("BYE");
    this.end(client);
  }

  // Ends the session. Pending lines are still sent (6.4).
  end(client) {
    if (client.joined()) this.say(`LOGOUT ${client.name}`, client);
    client.state = LEFT;
    client.received = Buffer.alloc(0);
    client.closing = true;
  }

  drop(client) {
    if (!this.clients.delete(client)) return;
    this.end(client);
    client.socket.destroy();
  }

  // 6.3: sends BYE to all clients, and closes. Node exits when nothing is left to wait for.
  stop() {
    this.listener.close();
    clearInterval(this.timer);
    for (const client of this.clients) {
      if (client.joined()) client.send("BYE");
      client.state = LEFT;
      client.closing = true;
      this.write(client);
    }
    setTimeout(() => process.exit(), 1000).unref();
  }
}

function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      "max-clients": { type: "string", default: MAX_CLIENTS }, // 2.6
      "login-deadline": { type: "string", default: LOGIN_DEADLINE }, // seconds (2.5)
      "ping-after": { type: "string", default: PING_AFTER }, // seconds (6.1)
      "pong-within": { type: "string", default: PONG_WITHIN }, // seconds (6.1)
      "max-stall": { type: "string", default: MAX_STALL }, // seconds (6.5)
      "no-plain": { type: "boolean" }, // refuse plain sessions (2.8)
    },
  });
  const [address = "localhost:2222"] = positionals; // HOST:PORT; port 0: any free port
  const [, host, port] = address.match(/^\[?(.*?)\]?:(\d+)$/) ?? [];
  if (port === undefined) {
    console.error("usage: node server.js HOST:PORT");
    process.exit(2);
  }
  const server = new Server({
    maxClients: Number(values["max-clients"]),
    loginDeadline: Number(values["login-deadline"]),
    pingAfter: Number(values["ping-after"]),
    pongWithin: Number(values["pong-within"]),
    maxStall: Number(values["max-stall"]),
    noPlain: values["no-plain"],
  });
  server.run(host || undefined, Number(port));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.stop());
}

main();
