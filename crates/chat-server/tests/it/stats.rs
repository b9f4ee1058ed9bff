//! `ChatServer::stats` counts correctly, and its gauges return to zero.

use chat_server::{EndReason, Ending, Full};
use futures::FutureExt;

use crate::support::{Peer, start, unlimited};

#[tokio::test]
async fn clients_messages_and_deliveries_are_counted() {
    let (server, address) = start(unlimited()).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    ann.send("MSG alone").await;
    ann.expect("OK").await;
    let mut bob = Peer::tcp(address).await.join("bob").await;
    ann.expect("JOIN bob").await;
    // The server may place these messages in one batch or in several. Replies come between them.
    ann.raw(b"MSG 1\r\nMSG 2\r\nMSG \x07\r\nPING\r\nMSG 3\r\n").await;
    for line in ["OK", "OK", "BAD REQ", "PONG", "OK"] {
        ann.expect(line).await;
    }
    for n in 1..=3 {
        bob.expect(&format!("FROM ann MSG {n}")).await;
    }
    bob.raw(b"MSG 4\r\nBYE\r\n").await;
    bob.expect("OK").await;
    bob.expect("BYE").await;
    bob.expect_end().await;
    ann.expect("FROM bob MSG 4").await;
    ann.expect("LOGOUT bob").await;
    drop(bob);
    server.shutdown().await;
    let stats = server.stats();
    assert_eq!((stats.connections, stats.clients, stats.tasks), (0, 0, 0));
    assert_eq!((stats.messages, stats.deliveries), (5, 4));
    assert_eq!((stats.ended_by(&EndReason::Bye), stats.ended_by(&EndReason::ServerStopped)), (1, 1));
}

#[tokio::test]
async fn refusals_and_cuts_are_counted_by_reason() {
    let (server, address) = start(unlimited().max_clients(1)).await;
    let ann = Peer::tcp(address).await.join("ann").await;
    for _ in 0..3 {
        Peer::tcp(address).await.expect("BYE").await;
    }
    server.shutdown().await;
    drop(ann);
    assert_eq!(server.stats().ended_by(&EndReason::ServerStopped), 1);
    assert_eq!(server.stats().ended_by(&EndReason::Full(Full::Server)), 3);
    assert_eq!(server.stats().ended_as(Ending::Refused), 3);
    assert_eq!(server.stats().ended_as(Ending::Cut), 0);
}

/// Lets all other tasks of this runtime run until they wait.
async fn yield_to_others() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_dropped_join_leaves_no_member_behind() {
    let server = unlimited().build();
    {
        let mut join = Box::pin(server.local("bot"));
        // The hub adds the member, but nobody polls the future again.
        assert!(join.as_mut().now_or_never().is_none());
        yield_to_others().await;
        assert_eq!(server.stats().clients, 1);
    }
    yield_to_others().await;
    assert_eq!(server.stats().clients, 0);
    server.local("bot").await.expect("the name is free");
}
