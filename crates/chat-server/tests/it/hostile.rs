//! Hostile and broken peers: split, long and malformed lines, invalid names, slow readers. Also a policy that panics.

use std::time::Duration;

use chat_server::{Connect, EndReason, Event, Peer as ServerPeer, Policy};
use tokio::time::sleep;

use crate::support::{Peer, start, unlimited};

/// Sends pieces so that each arrives alone: time is paused, so the sleep ends when the server has read the piece.
async fn send_separately<'a>(peer: &mut Peer, pieces: impl IntoIterator<Item = &'a [u8]>) {
    for piece in pieces {
        peer.raw(piece).await;
        sleep(Duration::from_millis(1)).await;
    }
}

/// Clauses 1.1 and 1.3. The splits include those in the middle of a CRLF and of a character.
#[tokio::test(start_paused = true)]
async fn every_split_gets_the_same_answers() {
    let dialogue = "PROT 0.1 CONNECT NEW\r\nNAME no name\r\nNAME bob\r\nMSG h\u{e9} \u{1f600}\r\nMSG \x07\nPING\nREQ CLIENTS\r\n\
                    nonsense\r\nMSG a\rb\r\nMSG \u{20ac}\r\nBYE\r\n";
    let answers = "NAME REQ\r\nNAME FAILURE\r\nNAME REQ\r\nNAME OK\r\nWELCOME\r\nOK\r\nBAD REQ\r\nPONG\r\n\
                   LIST CLIENTS 1 bob\r\nBAD REQ\r\nBAD REQ\r\nOK\r\nBYE\r\n";
    for at in 0..=dialogue.len() {
        let server = unlimited().build();
        let mut peer = Peer::paused(&server);
        let (first, second) = dialogue.as_bytes().split_at(at);
        send_separately(&mut peer, [first, second]).await;
        assert_eq!(peer.rest().await, answers, "split at byte {at}");
    }
}

/// Clauses 1.3 and 1.5: the longest text passes. A longer one is refused, not truncated.
#[tokio::test(start_paused = true)]
async fn the_length_limits_hold_however_a_line_is_split() {
    let longest = "\u{1f600}".repeat(2_000);
    let cases = [
        (format!("MSG {longest}\r\n"), "OK"),
        (format!("MSG {longest}x\r\n"), "BAD REQ"),
        (format!("MSG {}\r\n", "x".repeat(2_001)), "BAD REQ"),
        // With its CRLF, the first line has 8,192 bytes, and the second is too long. Neither ends the session.
        (format!("{}\r\n", "x".repeat(8_190)), "BAD REQ"),
        (format!("{}\r\n", "x".repeat(8_191)), "BAD REQ"),
    ];
    let server = unlimited().build();
    let mut ann = Peer::paused(&server).join("ann").await;
    let mut bob = Peer::paused(&server).join("bob").await;
    ann.expect("JOIN bob").await;
    for (line, answer) in &cases {
        let characters = line.char_indices().map(|(at, character)| &line.as_bytes()[at..at + character.len_utf8()]);
        send_separately(&mut bob, [line.as_bytes()]).await;
        send_separately(&mut bob, characters).await;
        send_separately(&mut bob, line.as_bytes().chunks(1)).await;
        for _ in 0..3 {
            bob.expect(answer).await;
            if *answer == "OK" {
                ann.expect(&format!("FROM bob MSG {longest}")).await;
            }
        }
    }
    bob.send("MSG end").await;
    ann.expect("FROM bob MSG end").await;
}

/// Clauses 3.1, 3.4 and 3.9.
#[tokio::test]
async fn misplaced_and_malformed_lines_are_refused() {
    let (server, address) = start(unlimited()).await;
    for (lines, answer) in [
        ("PROT 0.1 CONNECT NEW\r\nMSG early\r\n", "NAME REQ\r\nBAD REQ\r\n"),
        ("PROT 0.1 CONNECT NEW\r\nPROT 0.1 CONNECT NEW\r\n", "NAME REQ\r\nBAD REQ\r\n"),
        ("PROT 0.2 CONNECT USER bob\r\n", "BAD PROT\r\n"),
        ("PROT 1.0\r\n", "BAD PROT\r\n"),
        ("PROT 0.1  CONNECT USER bob\r\n", "BAD REQ\r\n"),
        ("PROT 0.1 CONNECT NEW \r\n", "BAD REQ\r\n"),
    ] {
        let mut peer = Peer::tcp(address).await;
        peer.raw(lines.as_bytes()).await;
        assert_eq!(peer.rest().await, answer, "{lines:?}");
    }
    let mut bob = Peer::tcp(address).await.join("bob").await;
    for line in
        ["PROT 0.1 CONNECT USER bob", "msg hi", "ping", " PING", "PING ", "REQ  CLIENTS", "BYE ", "NAME eve2", ""]
    {
        bob.send(line).await;
        assert_eq!(bob.line().await, "BAD REQ", "{line:?}");
    }
    bob.send("REQ CLIENTS").await;
    bob.expect("LIST CLIENTS 1 bob").await;
    server.cut();
}

/// Clauses 1.6, 2.7 and 3.3.
#[tokio::test]
async fn invalid_names_are_refused() {
    let (server, address) = start(unlimited()).await;
    let too_long = "x".repeat(21);
    let names = [
        "",
        &too_long,
        "two words",
        "*",
        "b\u{43e}b",
        "bob\u{200b}",
        "\u{202e}bob",
        "guest7",
        "GUEST7",
        "b\x1bb",
        "bob ",
        "caf\u{e9}",
    ];
    for name in names {
        let mut peer = Peer::tcp(address).await;
        peer.send("PROT 0.1 CONNECT NEW").await;
        peer.expect("NAME REQ").await;
        peer.send(&format!("NAME {name}")).await;
        assert_eq!(peer.line().await, "NAME FAILURE", "{name:?}");
        peer.expect("NAME REQ").await;
    }
    // With this name, the line is longer than 8,192 bytes. Before login, such a line ends the connection.
    let mut peer = Peer::tcp(address).await;
    peer.raw(format!("PROT 0.1 CONNECT USER {}", "x".repeat(60_000)).as_bytes()).await;
    peer.expect("BAD REQ").await;
    peer.expect_end().await;
    server.cut();
}

/// A policy that panics when the peer `bug` connects.
struct PanicsOnConnect;

impl Policy for PanicsOnConnect {
    fn connect(&self, peer: &ServerPeer) -> Connect {
        assert!(peer.to_string() != "bug", "a bug in the embedder's rules");
        Connect::Accept
    }
}

#[tokio::test]
async fn a_policy_that_panics_on_connect_ends_that_connection_only() {
    let server = unlimited().policy(PanicsOnConnect).build();
    let attach = |name| {
        let (ours, theirs) = tokio::io::duplex(1_024);
        server.attach(theirs, ServerPeer::labelled(name));
        Peer::over(ours)
    };
    let mut ann = attach("ann").join("ann").await;
    assert_eq!(attach("bug").rest().await, "BYE\r\n");
    assert_eq!(server.stats().ended_by(&EndReason::Panicked), 1);
    ann.send("MSG still here").await;
    ann.expect("OK").await;
}

/// Clause 6.5. The write timeout is long, so the client reaches the limit of the ring first.
#[tokio::test(start_paused = true)]
async fn a_client_that_falls_behind_the_ring_is_cut_as_lagged() {
    let server = unlimited().ring_batches(8).write_timeout(Duration::from_secs(1_000)).build();
    let mut events = server.events();
    let (ours, theirs) = tokio::io::duplex(128);
    server.attach(theirs, ServerPeer::labelled("sleeper"));
    let mut sleeper = Peer::over(ours).join("sleeper").await;
    let mut talker = Peer::paused(&server).join("talker").await;
    for n in 0..200 {
        talker.send(&format!("MSG {n}")).await;
        talker.expect("OK").await;
    }
    // The sleeper receives only the beginning of the lines. Its stream has no gap.
    let received = sleeper.rest().await;
    let full_history: String = std::iter::once("JOIN talker\r\n".to_owned())
        .chain((0..200).map(|n| format!("FROM talker MSG {n}\r\n")))
        .collect();
    assert!(full_history.starts_with(&received) && received.len() < full_history.len(), "{received}");
    let reason = loop {
        if let Event::Left { reason, .. } = events.recv().await.unwrap().unwrap() {
            break reason;
        }
    };
    assert_eq!(reason, EndReason::Lagged);
    talker.expect("LOGOUT sleeper").await;
}

/// The hub lets writers run before a burst fills the ring.
#[tokio::test(start_paused = true)]
async fn a_client_that_reads_fast_survives_a_burst_longer_than_the_ring() {
    const LINES: usize = 1_000;
    let server = unlimited().ring_batches(32).build();
    let attach_with_large_buffer = |name| {
        let (ours, theirs) = tokio::io::duplex(1 << 23);
        server.attach(theirs, ServerPeer::labelled(name));
        Peer::over(ours)
    };
    let mut listener = attach_with_large_buffer("listener").join("listener").await;
    let mut talker = attach_with_large_buffer("talker").join("talker").await;
    listener.expect("JOIN talker").await;
    let text = "x".repeat(1_900);
    talker.raw(format!("MSG {text}\r\n").repeat(LINES).as_bytes()).await;
    for _ in 0..LINES {
        listener.expect(&format!("FROM talker MSG {text}")).await;
    }
}
