//! A flood must not block other clients: neither those at the same address, nor those in the same runtime.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use chat_server::{ChatServer, Peer as ServerPeer, RateLimit};
use tokio::{
    io::{AsyncRead, ReadBuf},
    task::yield_now,
    time::Instant,
};

use crate::support::{Peer, unlimited};

/// A client in memory, on paused time. All neighbours have the same address.
fn neighbour(server: &ChatServer) -> Peer {
    let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
    Peer::paused_as(server, address.into())
}

#[tokio::test(start_paused = true)]
async fn neighbours_take_turns_in_the_order_in_which_they_began_to_wait() {
    let server = unlimited().rate_limit(RateLimit::per_second(1)).build();
    let mut flood = neighbour(&server).join("flood").await;
    flood.raw("PING\r\n".repeat(100).as_bytes()).await;
    yield_now().await;
    let mut other = neighbour(&server);
    let start = Instant::now();
    other.send("PROT 0.1 CONNECT USER other").await;
    other.expect("NAME OK").await;
    // The flood has at most one line in the queue, so the other client waits for a few lines only.
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

/// Clause 2.5: the login timeout does not count the time that a client waits for the rate limit.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_does_not_count_towards_the_login_timeout() {
    let server = unlimited().rate_limit(RateLimit::per_second(1)).login_timeout(Duration::from_secs(3)).build();
    let mut clients = Vec::new();
    for n in 0..10 {
        let mut client = neighbour(&server);
        client.send(&format!("PROT 0.1 CONNECT USER client{n}")).await;
        clients.push(client);
    }
    for client in &mut clients {
        client.expect("NAME OK").await;
    }
    // A client that sends nothing is closed at the timeout.
    let start = Instant::now();
    neighbour(&server).expect_end().await;
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

/// An endless stream of empty lines, which is always ready to read. It counts the lines that were read.
struct EmptyLines(Arc<AtomicUsize>);

impl AsyncRead for EmptyLines {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let read = out.remaining();
        out.initialize_unfilled().fill(b'\n');
        out.advance(read);
        self.0.fetch_add(read, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

/// The runtime has one thread, so a task that does not yield blocks all others.
#[tokio::test]
async fn a_flood_of_lines_without_answers_does_not_block_other_clients() {
    let server = unlimited().build();
    let read = Arc::<AtomicUsize>::default();
    server.attach_halves(EmptyLines(Arc::clone(&read)), tokio::io::sink(), ServerPeer::labelled("flood"));
    let (ours, theirs) = tokio::io::duplex(1_024);
    server.attach(theirs, ServerPeer::labelled("ann"));
    let mut ann = Peer::over(ours).join("ann").await;
    let before = read.load(Ordering::Relaxed);
    for _ in 0..10 {
        ann.send("PING").await;
        ann.expect("PONG").await;
    }
    let lines = (read.load(Ordering::Relaxed) - before) / 10;
    assert!(lines < 100_000, "{lines} lines of the flood for each answer");
    server.cut();
}
