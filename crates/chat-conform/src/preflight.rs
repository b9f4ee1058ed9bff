//! Before a server is judged: is there one, and does it speak in lines of this protocol at all?

use std::{io, net::SocketAddr, time::Duration};

use tokio::{net::lookup_host, time::timeout};

use crate::{
    clock::after,
    play::{Got, Peer},
    transcript::shortened,
};

/// Why nothing can be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotJudged {
    /// The address means nothing.
    #[error("{0}: no such address: {1}: write HOST:PORT, as in localhost:2222")]
    NoAddress(String, io::Error),
    /// Nobody is there.
    #[error("{0}: closed: nobody listens there ({1}): start the server first")]
    Closed(String, io::Error),
    /// Somebody is there, and says nothing.
    #[error("{0}: silent: it lets a client in and answers nothing within {1:?}")]
    Silent(String, Duration),
    /// It speaks HTTP.
    #[error("{0}: an HTTP server, no chat server: {1}")]
    Http(String, String),
    /// It speaks something else.
    #[error("{0}: no chat server: it answers {1}")]
    NotChat(String, String),
    /// It lets nobody in.
    #[error("{0}: lets nobody in now: it says BYE or closes at once (2.6)")]
    Full(String),
    /// A client cannot be started, or a port not be had.
    #[error("{0}")]
    Cannot(String),
    /// No case is left.
    #[error("no case is selected: `--list` tells the names")]
    NothingSelected,
}

/// Finds the server and hears whether it is one. Ends within four times `patience`.
pub async fn preflight(target: &str, patience: Duration) -> Result<SocketAddr, NotJudged> {
    let named = || target.to_owned();
    let looked_up = timeout(patience, lookup_host(target)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
    let addresses = looked_up.map_err(|error| NotJudged::NoAddress(named(), error))?;
    let connecting = async {
        let mut reached = Err(io::ErrorKind::NotFound.into());
        for address in addresses {
            reached = Peer::connect(address, patience).await.map(|peer| (address, peer));
            if reached.is_ok() {
                break;
            }
        }
        reached
    };
    // One time for all addresses of the name.
    let reached = timeout(patience, connecting).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
    let (address, mut peer) = reached.map_err(|error| NotJudged::Closed(named(), error))?;
    // An HTTP server that waits for the rest of a request is woken by an empty line.
    for line in ["PROT 0.1 CONNECT NEW\r\n", "\r\n\r\n"] {
        let until = after(patience);
        peer.send(line.as_bytes(), usize::MAX, until).await;
        match peer.line(until).await {
            Got::Eof(bytes) if bytes.is_empty() => return Err(NotJudged::Full(named())),
            Got::Line(bytes) | Got::TooLong(bytes) | Got::Eof(bytes) => return known(named(), address, &bytes),
            Got::Silent => {}
        }
    }
    Err(NotJudged::Silent(named(), patience.saturating_mul(2)))
}

fn known(target: String, address: SocketAddr, bytes: &[u8]) -> Result<SocketAddr, NotJudged> {
    let line = String::from_utf8_lossy(bytes);
    let line = line.trim_end();
    match line.split(' ').next().unwrap_or_default() {
        "BYE" => Err(NotJudged::Full(target)),
        // Words of this protocol. Whether they are in their place is for the cases to say.
        "NAME" | "OK" | "WELCOME" | "BAD" | "JOIN" | "LOGOUT" | "FROM" | "NOTICE" | "LIST" | "PING" | "PONG" => {
            Ok(address)
        }
        word if word.starts_with("HTTP/") || word.starts_with('<') => {
            Err(NotJudged::Http(target, format!("it answers \"{}\"", shortened(line.as_bytes()))))
        }
        _ => Err(NotJudged::NotChat(target, format!("\"{}\"", shortened(bytes)))),
    }
}
