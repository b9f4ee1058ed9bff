//! Events and statistics give the same reason for each end.

use std::{collections::BTreeMap, io::ErrorKind, net::SocketAddr};

use chat_server::{EndReason, Event};

use crate::support::{Peer, start, unlimited};

const RESETTERS: usize = 150;

/// Joins, and resets the connection while it has unread lines.
async fn join_and_reset(address: SocketAddr, name: String) {
    let mut peer = Peer::tcp_that_resets(address).await.join(&name).await;
    peer.raw(b"MSG one\r\nPING\r\n").await;
    peer.line().await;
}

/// The reader and the writer of a connection see its reset in different ways. Meanwhile, other members keep sending.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_has_one_reason_in_events_and_statistics() {
    let (server, address) = start(unlimited()).await;
    let mut events = server.events();
    let reported_reasons = tokio::spawn(async move {
        let mut reported = BTreeMap::<String, u64>::new();
        while let Some(event) = events.recv().await {
            if let Event::Left { reason, .. } = event.unwrap() {
                *reported.entry(format!("{reason:?}")).or_default() += 1;
            }
        }
        reported
    });
    let mut talkers = Vec::new();
    for n in 0..4 {
        let mut talker = Peer::tcp(address).await.join(&format!("talker{n}")).await;
        talkers.push(tokio::spawn(async move {
            let (mut left, mut said) = (0, 0);
            while left < RESETTERS {
                said += 1;
                talker.send(&format!("MSG {said}")).await;
                loop {
                    match talker.line().await.as_str() {
                        "OK" => break,
                        line => left += usize::from(line.starts_with("LOGOUT resetter")),
                    }
                }
            }
            talker
        }));
    }
    let resets = (0..RESETTERS).map(|n| join_and_reset(address, format!("resetter{n}")));
    futures::future::join_all(resets).await;
    // The talkers stay connected until the server stops.
    let mut connected = Vec::new();
    for talker in talkers {
        connected.push(talker.await.unwrap());
    }
    server.shutdown().await;
    let counted = server.stats().ended.iter().map(|(reason, times)| (format!("{reason:?}"), *times)).collect();
    assert_eq!(reported_reasons.await.unwrap(), counted);
    let reset = EndReason::Transport(ErrorKind::ConnectionReset);
    assert_eq!(server.stats().ended_by(&reset), RESETTERS as u64, "{:?}", server.stats().ended);
}
