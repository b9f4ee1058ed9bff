//! Timeouts and rates, on paused time, so that these tests are fast and exact.

use std::time::Duration;

use chat_server::{ChatServer, EndReason, Event, Peer as ServerPeer, RateLimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, advance, sleep};

use crate::support::{Peer, unlimited};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_log_in_is_closed_at_the_deadline() {
    let server = ChatServer::builder().build();
    let start = Instant::now();
    let mut silent = Peer::paused(&server);
    silent.expect_end().await;
    assert_eq!(start.elapsed().as_secs(), 120);

    let start = Instant::now();
    let mut unnamed = Peer::paused(&server);
    unnamed.send("PROT 0.1 CONNECT NEW").await;
    unnamed.expect("NAME REQ").await;
    unnamed.expect_end().await;
    assert_eq!(start.elapsed().as_secs(), 120);

    // One byte per second does not postpone the deadline.
    let start = Instant::now();
    let mut trickling = Peer::paused(&server);
    tokio::task::yield_now().await; // The timeout begins when the connection's task runs.
    for _ in 0..119 {
        trickling.raw(b"x").await;
        advance(secs(1)).await;
    }
    trickling.expect_end().await;
    assert_eq!(start.elapsed().as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn a_silent_named_client_is_pinged_then_cut_and_its_name_is_free() {
    let server = ChatServer::builder().build();
    let mut events = server.events();
    let mut client = Peer::paused(&server).join("bob").await;
    let start = Instant::now();
    client.expect("PING").await;
    assert_eq!(start.elapsed(), secs(60));
    client.send("PONG").await;
    client.expect("PING").await;
    assert_eq!(start.elapsed(), secs(120));
    client.send("MSG anything counts").await;
    client.expect("OK").await;
    client.expect("PING").await;
    assert_eq!(start.elapsed(), secs(180));
    client.expect_end().await;
    assert_eq!(start.elapsed(), secs(183));
    let reason = loop {
        if let Event::Left { reason, .. } = events.recv().await.unwrap().unwrap() {
            break reason;
        }
    };
    assert_eq!(reason, EndReason::PingTimeout);
    Peer::paused(&server).join("BOB").await;
}

#[tokio::test(start_paused = true)]
async fn a_plain_client_is_never_pinged() {
    let server = ChatServer::builder().build();
    let mut guest = Peer::paused(&server);
    guest.send("hi").await;
    guest.expect("OK").await;
    advance(secs(100_000)).await;
    guest.send("still here").await;
    guest.expect("OK").await;
}

#[tokio::test(start_paused = true)]
async fn disabled_timeouts_never_end_a_connection() {
    let server = ChatServer::builder().login_timeout(None).ping_interval(None).write_timeout(None).build();
    let mut slow = Peer::paused(&server);
    tokio::task::yield_now().await;
    advance(secs(10_000)).await;
    slow.send("PROT 0.1 CONNECT NEW").await;
    slow.expect("NAME REQ").await;
    advance(secs(10_000)).await;
    slow.send("NAME bob").await;
    slow.expect("NAME OK").await;
    slow.expect("WELCOME").await;
    advance(secs(10_000)).await;
    slow.send("MSG hi").await;
    slow.expect("OK").await;
}

/// Clause 6.6: the server slows a fast client down, and answers all of its messages.
#[tokio::test(start_paused = true)]
async fn a_flood_is_slowed_to_the_rate_and_nothing_is_lost() {
    let server = ChatServer::builder().build();
    let mut talker = Peer::paused(&server).join("talker").await;
    let mut listener = Peer::paused(&server).join("listener").await;
    talker.expect("JOIN listener").await;
    let start = Instant::now();
    let flood: Vec<_> = (0..1_400).map(|n| format!("MSG {n}\r\n")).collect();
    talker.raw(flood.concat().as_bytes()).await;
    for n in 0..1_400 {
        listener.expect(&format!("FROM talker MSG {n}")).await;
        if n == 397 {
            assert_eq!(start.elapsed(), Duration::ZERO, "the burst passes at once");
        }
    }
    // The burst is 400 lines. The login and the join have used two. The remaining 1,002 lines pass at 200 per second.
    assert_eq!(start.elapsed().as_millis(), 5_010);
    for _ in 0..1_400 {
        talker.expect("OK").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_configured_rate_applies() {
    let server = ChatServer::builder().rate_limit(RateLimit::per_second(1)).build();
    let mut talker = Peer::paused(&server).join("talker").await;
    sleep(secs(10)).await; // Restores the part of the burst that the login has used.
    let start = Instant::now();
    talker.raw(b"PING\r\nPING\r\nPING\r\nPING\r\n").await;
    for _ in 0..4 {
        talker.expect("PONG").await;
    }
    assert_eq!(start.elapsed(), secs(2));
}

/// Clause 6.5. Writes stall when the sleeper's pipe of 64 KiB is full.
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut_at_the_write_timeout() {
    let server = unlimited().build();
    let mut events = server.events();
    let mut sleeper = Peer::paused(&server).join("sleeper").await;
    let mut talker = Peer::paused(&server).join("talker").await;
    let text = "x".repeat(1_000);
    for _ in 0..100 {
        talker.send(&format!("MSG {text}")).await;
        talker.expect("OK").await;
    }
    let start = Instant::now();
    talker.expect("LOGOUT sleeper").await;
    assert_eq!(start.elapsed(), secs(10));
    loop {
        if let Event::Left { reason, .. } = events.recv().await.unwrap().unwrap() {
            assert_eq!(reason, EndReason::WriteTimeout);
            break;
        }
    }
    // The sleeper receives only the beginning of the lines. Its stream has no gap.
    let received = sleeper.rest().await;
    let full_history: String = std::iter::once("JOIN talker\r\n".to_owned())
        .chain((0..100).map(|_| format!("FROM talker MSG {text}\r\n")))
        .collect();
    assert!(full_history.starts_with(&received) && received.len() > 60_000);
}

/// The server stops reading from a client that does not read, and then cuts it. Before that, the server reads only as many
/// requests as it can store replies.
#[tokio::test(start_paused = true)]
async fn a_client_that_floods_pings_and_does_not_read_is_cut() {
    const PIPE: usize = 4_096;
    let server = unlimited().build();
    let mut witness = Peer::paused(&server).join("witness").await;
    let (ours, theirs) = tokio::io::duplex(PIPE);
    server.attach(theirs, ServerPeer::labelled("flood"));
    let mut flood = ours;
    flood.write_all(b"PROT 0.1 CONNECT USER flood\r\n").await.unwrap();
    witness.expect("JOIN flood").await;
    let start = Instant::now();
    let mut accepted_bytes = 0;
    let error = loop {
        match flood.write(b"PING\r\n").await {
            Ok(written) => accepted_bytes += written,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(start.elapsed(), secs(10));
    witness.expect("LOGOUT flood").await;
    assert_eq!(server.stats().ended, [(EndReason::WriteTimeout, 1)]);
    // Both directions of the pipe, 64 replies in the queue and 64 in the writer, and one read.
    let bound = 2 * PIPE + 2 * 64 * "PONG\r\n".len() + 32_768 + 1_024;
    assert!((2 * PIPE..=bound).contains(&accepted_bytes), "{accepted_bytes} bytes of {bound}");
}

/// Clause 6.5: a peer that reads at least 4 KiB within the write timeout stays. One that reads a byte now and then is cut.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_cut_only_if_it_makes_too_little_progress() {
    for (bytes, every, survives) in [(1_024, secs(1), true), (4_096, secs(9), true), (1, secs(9), false)] {
        let server = unlimited().ping_interval(None).build();
        let (mut slow, theirs) = tokio::io::duplex(512);
        server.attach(theirs, ServerPeer::labelled("slow"));
        slow.write_all(b"PROT 0.1 CONNECT USER slow\r\n").await.unwrap();
        let mut talker = Peer::paused(&server).join("talker").await;
        let text = "x".repeat(2_000);
        for _ in 0..100 {
            talker.send(&format!("MSG {text}")).await;
            talker.expect("OK").await;
        }
        let start = Instant::now();
        let (mut read, mut buffer) = (0, vec![0; bytes]);
        while read < 100_000 && start.elapsed() < secs(300) && slow.read_exact(&mut buffer).await.is_ok() {
            read += bytes;
            sleep(every).await;
        }
        assert_eq!(server.stats().ended_by(&EndReason::WriteTimeout) == 0, survives, "{bytes} bytes in {every:?}");
    }
}

/// Clause 6.1: silence begins at the last byte, not at the last line.
#[tokio::test(start_paused = true)]
async fn half_a_line_postpones_the_ping() {
    let server = ChatServer::builder().build();
    let mut half = Peer::paused(&server).join("half").await;
    let start = Instant::now();
    sleep(secs(30)).await;
    half.raw(b"MSG ").await;
    half.expect("PING").await;
    assert_eq!(start.elapsed(), secs(90));
    half.expect_end().await;
    assert_eq!(start.elapsed(), secs(93));
}

/// A timeout that is too long for the clock is no limit, and causes no panic.
#[tokio::test(start_paused = true)]
async fn the_longest_timeouts_never_end() {
    let longest = Duration::MAX;
    let server = ChatServer::builder()
        .login_timeout(longest)
        .ping_interval(longest)
        .ping_timeout(longest)
        .write_timeout(longest);
    let server = server.drain_timeout(longest).build();
    let mut ann = Peer::paused(&server).join("ann").await;
    sleep(secs(1_000_000)).await;
    ann.send("MSG hi").await;
    ann.expect("OK").await;
    let (report, ()) = tokio::join!(server.shutdown(), ann.expect("BYE"));
    assert_eq!(report.drained, 1);
}

#[test]
#[should_panic(expected = "timers are disabled")]
fn building_a_server_panics_in_a_runtime_without_timers() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { ChatServer::builder().build() });
}

/// Clause 6.1: any input counts, even if the line is incomplete.
#[tokio::test(start_paused = true)]
async fn every_byte_of_a_slow_line_is_a_sign_of_life() {
    let server = ChatServer::builder().build();
    let mut slow = Peer::paused(&server).join("slow").await;
    slow.raw(b"MSG ").await;
    for _ in 0..300 {
        advance(secs(1)).await;
        slow.raw(b"x").await;
        tokio::task::yield_now().await; // Let the server read the byte.
    }
    slow.raw(b"\r\n").await;
    slow.expect("OK").await;
}
