//! Checks before any case is played that a server accepts connections and answers in this protocol.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{net::lookup_host, time::timeout};

use crate::{
    clock::deadline_after,
    play::{LineRead, Peer},
    transcript::shortened,
};

/// Why no case can be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotJudged {
    /// The address is not valid, or its host name cannot be resolved.
    #[error("{0}: cannot resolve this address: {1}: write HOST:PORT, as in localhost:2222")]
    NoAddress(String, io::Error),
    /// No server accepts connections at the address.
    #[error("{0}: cannot connect ({1}): start the server first")]
    Closed(String, io::Error),
    /// The server accepts the connection and does not answer.
    #[error("{0}: silent: it accepts the connection, but sends no answer within {1:?}")]
    Silent(String, Duration),
    /// The server speaks HTTP.
    #[error("{0}: an HTTP server, not a chat server: {1}")]
    Http(String, String),
    /// The server speaks another protocol.
    #[error("{0}: not a chat server: it answers {1}")]
    NotChat(String, String),
    /// The server accepts no more clients.
    #[error("{0}: accepts no clients now: it sends BYE or closes at once (2.6)")]
    Full(String),
    /// The client cannot be started or does not connect, or the judge cannot listen. The text is the whole message.
    #[error("{0}")]
    Setup(String),
    /// The selection contains no case.
    #[error("no case is selected: `--list` shows all names")]
    NothingSelected,
}

/// Resolves and connects to `target`, and checks that a chat server answers. Takes at most four times `line_timeout`.
pub async fn preflight(target: &str, line_timeout: Duration) -> Result<SocketAddr, NotJudged> {
    let target_name = || target.to_owned();
    let resolved = timeout(line_timeout, lookup_host(target)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
    let addresses = resolved.map_err(|error| NotJudged::NoAddress(target_name(), error))?;
    let connecting = async {
        let mut connected = Err(io::ErrorKind::NotFound.into());
        for address in addresses {
            connected = Peer::connect(address, line_timeout).await.map(|peer| (address, peer));
            if connected.is_ok() {
                break;
            }
        }
        connected
    };
    // One timeout covers all addresses of the host name.
    let connected = timeout(line_timeout, connecting).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
    let (address, mut peer) = connected.map_err(|error| NotJudged::Closed(target_name(), error))?;
    // An HTTP server may wait for the rest of a request: an empty line completes it.
    for line in ["PROT 0.1 CONNECT NEW\r\n", "\r\n\r\n"] {
        let deadline = deadline_after(line_timeout);
        peer.send(line.as_bytes(), usize::MAX, deadline).await;
        match peer.line(deadline).await {
            LineRead::Eof(bytes) if bytes.is_empty() => return Err(NotJudged::Full(target_name())),
            LineRead::Line(bytes) | LineRead::TooLong(bytes) | LineRead::Eof(bytes) => {
                return recognize(target_name(), address, &bytes);
            }
            LineRead::TimedOut => {}
        }
    }
    Err(NotJudged::Silent(target_name(), line_timeout.saturating_mul(2)))
}

/// Accepts the server if its first answer starts with a word of this protocol.
fn recognize(target: String, address: SocketAddr, bytes: &[u8]) -> Result<SocketAddr, NotJudged> {
    let line = String::from_utf8_lossy(bytes);
    let line = line.trim_end();
    match line.split(' ').next().unwrap_or_default() {
        "BYE" => Err(NotJudged::Full(target)),
        // Any word of this protocol will do. The cases check whether it is the right answer.
        "NAME" | "OK" | "WELCOME" | "BAD" | "JOIN" | "LOGOUT" | "FROM" | "NOTICE" | "LIST" | "PING" | "PONG" => {
            Ok(address)
        }
        word if word.starts_with("HTTP/") || word.starts_with('<') => {
            Err(NotJudged::Http(target, format!("it answers \"{}\"", shortened(line.as_bytes()))))
        }
        _ => Err(NotJudged::NotChat(target, format!("\"{}\"", shortened(bytes)))),
    }
}
