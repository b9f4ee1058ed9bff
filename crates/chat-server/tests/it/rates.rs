//! Rate limits per address. The connections of an address share one limit, which outlives them. A line counts by its
//! cost.

use std::{net::SocketAddr, time::Duration};

use chat_server::{ChatServer, EndReason, Full, Peer as ServerPeer, RateLimit};
use tokio::time::{Instant, advance, sleep};

use crate::support::{Peer, unlimited};

/// A client with this address, in memory and on paused time.
fn attach_from(server: &ChatServer, address: &str) -> Peer {
    let address: SocketAddr = address.parse().unwrap();
    Peer::paused_as(server, address.into())
}

/// Clauses 2.6 and 6.6.
#[tokio::test(start_paused = true)]
async fn reconnecting_gets_no_more_lines_than_staying() {
    for (address, at_once) in [("127.0.0.1:1", 1), ("[2001:db8::1]:1", 20)] {
        let server = ChatServer::builder().rate_limit(RateLimit::per_second(50)).build();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            let mut visitors = Vec::new();
            for _ in 0..at_once {
                let mut peer = attach_from(&server, address);
                peer.raw("hi\r\n".repeat(40).as_bytes()).await;
                peer.send("BYE").await;
                visitors.push(peer);
            }
            for mut peer in visitors {
                peer.rest().await;
            }
        }
        let allowed = 50 * start.elapsed().as_secs() + 100;
        let messages = server.stats().messages;
        assert!((allowed * 3 / 4..=allowed).contains(&messages), "{messages} of {allowed} messages");
    }
}

#[tokio::test(start_paused = true)]
async fn each_address_and_each_peer_without_one_has_its_own_rate() {
    let server = ChatServer::builder().rate_limit(RateLimit::per_second(10)).build();
    let start = Instant::now();
    let mut flood = attach_from(&server, "127.0.0.1:1");
    flood.raw("hi\r\n".repeat(1_000).as_bytes()).await;
    for mut other in [attach_from(&server, "127.0.0.2:1"), Peer::paused(&server), Peer::paused(&server)] {
        other.raw("hi\r\n".repeat(19).as_bytes()).await;
        other.half_close().await;
        let received = other.rest().await;
        assert_eq!(received.lines().filter(|line| *line == "OK").count(), 19, "{received}");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_connects_too_often_gets_bye() {
    let server = unlimited().connect_rate(RateLimit::per_second(5)).build();
    let mut accepted = 0;
    for _ in 0..100 {
        let mut peer = attach_from(&server, "127.0.0.1:1");
        peer.send("hi").await;
        peer.send("BYE").await;
        match peer.rest().await.as_str() {
            "OK\r\nBYE\r\n" => accepted += 1,
            refused => assert_eq!(refused, "BYE\r\n"),
        }
    }
    assert_eq!((accepted, server.stats().ended_by(&EndReason::Full(Full::Rate))), (10, 90));
    sleep(Duration::from_secs(1)).await;
    attach_from(&server, "127.0.0.1:2").join("ann").await;
}

/// A request counts by the length of its reply. A client that requests rosters must not make the server send much more than
/// a client that sends messages.
#[tokio::test(start_paused = true)]
async fn a_roster_counts_by_its_length() {
    const MEMBERS: usize = 2_000;
    const SECONDS: u64 = 60;
    let server = ChatServer::builder().connect_rate(None).max_clients_per_address(None).build();
    let mut members = Vec::new();
    for n in 0..MEMBERS {
        let mut member = Peer::paused(&server);
        member.send(&format!("PROT 0.1 CONNECT USER member{n:014}")).await;
        members.push(member);
    }
    let mut quiet = Peer::paused(&server).join("quiet").await;
    let mut asker = attach_from(&server, "127.0.0.1:1").join("asker").await;
    quiet.expect("JOIN asker").await;
    let start = Instant::now();
    let (mut roster_bytes, mut rosters) = (0, 0);
    while start.elapsed() < Duration::from_secs(SECONDS) {
        asker.send("REQ CLIENTS").await;
        rosters += 1;
        let mut names = 0;
        while names < MEMBERS + 2 {
            let line = asker.line().await;
            if line == "PING" {
                continue;
            }
            roster_bytes += line.len() + 2;
            names += line.split(' ').count() - 3;
        }
    }
    // What each other client would receive if the asker sent messages at its full rate instead.
    let message_bytes =
        usize::try_from(200 * SECONDS).unwrap() * format!("FROM asker MSG {}\r\n", "x".repeat(64)).len();
    println!("{rosters} rosters, {roster_bytes} bytes; messages: {message_bytes} bytes");
    assert!(rosters > 30, "rosters take too long: {rosters}");
    assert!(roster_bytes < 10 * message_bytes, "{roster_bytes} bytes of rosters, {message_bytes} of messages");
}

/// Clauses 6.1, 6.4 and 6.6: the server does not cut a client that waits for its turn. The client gets all answers, even
/// after a half-close.
#[tokio::test(start_paused = true)]
async fn a_client_that_waits_for_its_turn_is_not_silent() {
    for closes in [false, true] {
        let server = ChatServer::builder().rate_limit(RateLimit::per_second(1)).build();
        let mut patient = Peer::paused(&server).join("patient").await;
        patient.raw("PING\r\n".repeat(400).as_bytes()).await;
        if closes {
            patient.half_close().await;
        }
        for _ in 0..400 {
            loop {
                match patient.line().await.as_str() {
                    "PONG" => break,
                    // The server may send `PING` when it has read all lines.
                    line => assert_eq!((line, closes), ("PING", false)),
                }
                patient.send("PONG").await;
            }
        }
    }
}

/// Lines without an answer cost almost nothing, so the rate limit must not delay the lines after them.
#[tokio::test(start_paused = true)]
async fn lines_without_an_answer_hardly_count() {
    let server = ChatServer::builder().rate_limit(RateLimit::per_second(10)).build();
    let start = Instant::now();
    let mut guest = Peer::paused(&server);
    guest.raw(format!("hi\r\n{}there\r\n", "\r\n".repeat(5_000)).as_bytes()).await;
    guest.expect("OK").await;
    guest.expect("OK").await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    // Very many of them do count.
    guest.raw(format!("{}hi\r\n", "\r\n".repeat(50_000)).as_bytes()).await;
    guest.expect("OK").await;
    assert!(start.elapsed() > Duration::from_secs(5), "{:?}", start.elapsed());
}

/// A connection that ends before its turn must not delay other connections of its address.
#[tokio::test(start_paused = true)]
async fn a_client_that_ends_before_its_turn_frees_the_turn() {
    let server = unlimited().rate_limit(RateLimit::per_second(1)).build();
    let mut stays = attach_from(&server, "127.0.0.1:1").join("stays").await;
    advance(Duration::from_secs(60)).await;
    for _ in 0..100 {
        let (mut ours, theirs) = tokio::io::duplex(64);
        let (_, writer) = tokio::io::split(theirs);
        let lines = std::io::Cursor::new(b"PROT 0.1 CONNECT NEW\r\nPROT 0.1 CONNECT NEW\r\n".to_vec());
        let address: SocketAddr = "127.0.0.1:2".parse().unwrap();
        server.attach_halves(BytesThenReset(lines), writer, ServerPeer::from(address));
        while tokio::io::AsyncReadExt::read(&mut ours, &mut [0; 64]).await.is_ok_and(|read| read > 0) {}
    }
    let start = Instant::now();
    stays.send("PING").await;
    while stays.line().await != "PONG" {}
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// The server notices a reset while a line waits for its turn.
#[tokio::test(start_paused = true)]
async fn a_reset_ends_the_wait_for_a_turn() {
    let server = unlimited().rate_limit(RateLimit::per_second(1)).build();
    let start = Instant::now();
    let lines = format!("PROT 0.1 CONNECT USER ann\r\n{}", "PING\r\n".repeat(50));
    server.attach_halves(
        BytesThenReset(std::io::Cursor::new(lines.into())),
        tokio::io::sink(),
        ServerPeer::labelled("test"),
    );
    while server.stats().ended.is_empty() {
        sleep(Duration::from_millis(1)).await;
    }
    let reason = EndReason::Transport(std::io::ErrorKind::ConnectionReset);
    assert_eq!(server.stats().ended, [(reason, 1)]);
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
}

/// Yields these bytes, and then a reset.
struct BytesThenReset(std::io::Cursor<Vec<u8>>);

impl tokio::io::AsyncRead for BytesThenReset {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        out: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        if self.0.position() == self.0.get_ref().len() as u64 {
            return std::task::Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into()));
        }
        std::pin::Pin::new(&mut self.0).poll_read(cx, out)
    }
}
