//! What clients notice of others that do harm: at the same address, and in the same runtime.

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

/// A client from one address, over memory and on paused time.
fn neighbour(server: &ChatServer) -> Peer {
    let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
    Peer::paused_as(server, address.into())
}

#[tokio::test(start_paused = true)]
async fn neighbours_take_turns_in_the_order_in_which_they_came() {
    let server = unlimited().rate_limit(RateLimit::per_second(1)).build();
    let mut flood = neighbour(&server).join("flood").await;
    flood.raw("PING\r\n".repeat(100).as_bytes()).await;
    yield_now().await;
    let mut other = neighbour(&server);
    let start = Instant::now();
    other.send("PROT 0.1 CONNECT USER other").await;
    other.expect("NAME OK").await;
    // The flood has one line in the queue at a time.
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

/// Clause 2.5: the deadline counts the client's time, and not the server's own rate limit.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_does_not_count_against_a_login() {
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
    // A client that sends nothing has its time, and no more.
    let start = Instant::now();
    neighbour(&server).expect_end().await;
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

/// A stream that never ends and is always ready: empty lines.
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

/// On one thread, a task that does not yield holds up all others.
#[tokio::test]
async fn a_flood_of_lines_without_answers_leaves_turns_to_others() {
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
