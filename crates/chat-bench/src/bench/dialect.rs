//! The protocol of each server: what a client sends, and what it waits for.

use std::fmt::Write;

use super::server_kind::ServerKind;

/// A byte that each payload contains once, and nothing else that servers send contains. Counting it counts deliveries.
pub(super) const MARKER: u8 = b'|';

/// Makes a payload of this many bytes, or up to three fewer. A text has at most 2,000 characters, so a longer payload
/// consists of characters of four bytes.
pub(super) fn payload(bytes: usize) -> String {
    let fill = if bytes <= 2_000 { "x" } else { "\u{1f642}" };
    format!("|{}", fill.repeat(bytes.saturating_sub(1) / fill.len()))
}

/// What client `number` sends first. Some servers need no login, or none from a speaker.
pub(super) fn login(server: ServerKind, number: usize, is_speaker: bool) -> String {
    match (server, is_speaker) {
        (ServerKind::Floor, _) | (ServerKind::Redis, true) => String::new(),
        (ServerKind::Chat, _) => format!("PROT 0.1 CONNECT USER u{number}\r\n"),
        (ServerKind::Nats, _) => {
            "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\nSUB room 1\r\nPING\r\n".into()
        }
        (ServerKind::Redis, false) => "SUBSCRIBE room\r\n".into(),
        (ServerKind::Ngircd, _) => format!("NICK u{number}\r\nUSER u{number} 0 * :u{number}\r\nJOIN #room\r\n"),
    }
}

/// A part of the server's reply to a login. Empty if there is no reply.
pub(super) fn welcome(server: ServerKind, is_speaker: bool) -> &'static str {
    match (server, is_speaker) {
        (ServerKind::Floor, _) | (ServerKind::Redis, true) => "",
        (ServerKind::Chat, _) => "WELCOME\r\n",
        (ServerKind::Nats, _) => "PONG\r\n",
        (ServerKind::Redis, false) => "subscribe",
        (ServerKind::Ngircd, _) => " 366 ",
    }
}

/// What a client sends to publish one message.
pub(super) fn message(server: ServerKind, payload: &str) -> Vec<u8> {
    let mut message = String::new();
    let written = match server {
        ServerKind::Floor => writeln!(message, "{payload}"),
        ServerKind::Chat => write!(message, "MSG {payload}\r\n"),
        ServerKind::Nats => write!(message, "PUB room {}\r\n{payload}\r\n", payload.len()),
        ServerKind::Redis => write!(message, "PUBLISH room {payload}\r\n"),
        ServerKind::Ngircd => write!(message, "PRIVMSG #room :{payload}\r\n"),
    };
    written.expect("writing to a string cannot fail");
    message.into_bytes()
}

/// What a client sends before it closes the connection. Empty for servers without such a command.
pub(super) fn farewell(server: ServerKind) -> &'static str {
    match server {
        ServerKind::Chat => "BYE\r\n",
        ServerKind::Redis | ServerKind::Ngircd => "QUIT\r\n",
        ServerKind::Floor | ServerKind::Nats => "",
    }
}
