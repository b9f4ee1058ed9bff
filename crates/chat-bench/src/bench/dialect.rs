//! The protocol of each kind of server: what a client sends, and what it waits for.

use std::fmt::Write;

use super::kind::Kind;

/// A byte that is once in each payload, and nowhere else in what servers send. Counting it counts deliveries.
pub(super) const MARKER: u8 = b'|';

/// Makes a payload of this many bytes, or up to three fewer. A text has at most 2,000 characters, so a longer payload
/// consists of characters of four bytes.
pub(super) fn payload(bytes: usize) -> String {
    let rest = bytes.saturating_sub(1);
    if bytes <= 2_000 { format!("|{}", "x".repeat(rest)) } else { format!("|{}", "\u{1f642}".repeat(rest / 4)) }
}

/// What client number `n` sends first. At some servers, a speaker logs in differently from a listener.
pub(super) fn login(kind: Kind, n: usize, speaks: bool) -> String {
    match (kind, speaks) {
        (Kind::Floor, _) | (Kind::Redis, true) => String::new(),
        (Kind::Chat, _) => format!("PROT 0.1 CONNECT USER u{n}\r\n"),
        (Kind::Nats, _) => {
            "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\nSUB room 1\r\nPING\r\n".into()
        }
        (Kind::Redis, false) => "SUBSCRIBE room\r\n".into(),
        (Kind::Ngircd, _) => format!("NICK u{n}\r\nUSER u{n} 0 * :u{n}\r\nJOIN #room\r\n"),
    }
}

/// A part of what a client receives when it has joined.
pub(super) fn welcome(kind: Kind, speaks: bool) -> &'static str {
    match (kind, speaks) {
        (Kind::Floor, _) | (Kind::Redis, true) => "",
        (Kind::Chat, _) => "WELCOME\r\n",
        (Kind::Nats, _) => "PONG\r\n",
        (Kind::Redis, false) => "subscribe",
        (Kind::Ngircd, _) => " 366 ",
    }
}

/// The bytes that send one message.
pub(super) fn message(kind: Kind, payload: &str) -> Vec<u8> {
    let mut message = String::new();
    let written = match kind {
        Kind::Floor => writeln!(message, "{payload}"),
        Kind::Chat => write!(message, "MSG {payload}\r\n"),
        Kind::Nats => write!(message, "PUB room {}\r\n{payload}\r\n", payload.len()),
        Kind::Redis => write!(message, "PUBLISH room {payload}\r\n"),
        Kind::Ngircd => write!(message, "PRIVMSG #room :{payload}\r\n"),
    };
    written.expect("writing to a string cannot fail");
    message.into_bytes()
}

/// What a client sends to leave. Empty if it only closes the connection.
pub(super) fn farewell(kind: Kind) -> &'static str {
    match kind {
        Kind::Chat => "BYE\r\n",
        Kind::Redis | Kind::Ngircd => "QUIT\r\n",
        Kind::Floor | Kind::Nats => "",
    }
}
