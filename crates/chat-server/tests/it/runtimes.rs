//! Clients leave the room even if they are dropped in a thread without a runtime, or with a runtime that ends.

use std::thread;

use chat_server::{ChatServer, EndReason, Event, Events, Peer as ServerPeer};
use futures::FutureExt;
use tokio::{runtime::Runtime, task::spawn_blocking, time::timeout};

use crate::support::{Peer, unlimited};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The next client that leaves, and its reason.
async fn next_leave(events: &mut Events) -> (String, EndReason) {
    loop {
        let event = timeout(std::time::Duration::from_secs(20), events.recv()).await.expect("a client leaves");
        if let Event::Left { member, reason, .. } = event.unwrap().unwrap() {
            return (member.to_string(), reason);
        }
    }
}

#[tokio::test]
async fn a_local_client_leaves_wherever_it_is_dropped() {
    let server = unlimited().build();
    let mut events = server.events();
    let bot = server.local("bot").await.unwrap();
    thread::spawn(move || drop(bot)).join().unwrap();
    assert_eq!(next_leave(&mut events).await, ("bot".to_owned(), EndReason::Closed));

    let bot = server.local("bot").await.expect("the name is free");
    let other = runtime();
    other.spawn(async move {
        let _bot = bot;
        std::future::pending::<()>().await;
    });
    other.shutdown_background();
    assert_eq!(next_leave(&mut events).await, ("bot".to_owned(), EndReason::Closed));
    server.local("bot").await.expect("the name is free");
}

/// The hub has added the member, but its answer is never received.
#[tokio::test]
async fn a_join_dropped_in_any_thread_leaves_no_member_behind() {
    let server = unlimited().build();
    let mut events = server.events();
    let handle = server.clone();
    let mut join = Box::pin(async move { handle.local("bot").await.map(drop) });
    assert!(join.as_mut().now_or_never().is_none());
    assert!(matches!(events.recv().await, Some(Ok(Event::Joined { .. }))));
    thread::spawn(move || drop(join)).join().unwrap();
    assert_eq!(next_leave(&mut events).await.0, "bot");
    assert_eq!(server.stats().clients, 0);
}

/// A client that is served in a new runtime. Returns that runtime, too.
async fn attached_in_another_runtime(server: &ChatServer) -> (Runtime, Peer) {
    let other = runtime();
    let (ours, theirs) = tokio::io::duplex(1_024);
    {
        let _guard = other.enter();
        server.attach(theirs, ServerPeer::labelled("test"));
    }
    (other, Peer::over(ours).join("ann").await)
}

#[tokio::test]
async fn a_connection_that_ends_with_its_runtime_leaves() {
    let server = unlimited().build();
    let mut events = server.events();
    let (other, mut ann) = attached_in_another_runtime(&server).await;
    spawn_blocking(move || drop(other)).await.unwrap();
    assert_eq!(ann.rest().await, "");
    assert_eq!(next_leave(&mut events).await.0, "ann");
    let stats = server.stats();
    assert_eq!((stats.connections, stats.clients, stats.tasks), (0, 0, 0));
    server.local("ann").await.expect("the name is free");
}

#[tokio::test]
async fn a_thread_without_a_runtime_may_attach() {
    let server = unlimited().build();
    let (ours, theirs) = tokio::io::duplex(1_024);
    let handle = server.clone();
    thread::spawn(move || handle.attach(theirs, ServerPeer::labelled("thread"))).join().unwrap();
    let ann = Peer::over(ours).join("ann").await;
    let (report, rest) = tokio::join!(server.shutdown(), ann.into_rest());
    assert_eq!((report.drained, rest.as_str()), (1, "BYE\r\n"));
}

/// More clients leave at once than fit into the hub's queue. The thread that drops them cannot wait.
#[tokio::test]
async fn two_thousand_local_clients_dropped_at_once_all_leave() {
    let server = unlimited().build();
    let mut bots = Vec::new();
    for n in 0..2_000 {
        bots.push(server.local(format!("bot{n}")).await.unwrap());
    }
    let mut events = server.events();
    thread::spawn(move || drop(bots)).join().unwrap();
    for _ in 0..2_000 {
        assert_eq!(next_leave(&mut events).await.1, EndReason::Closed);
    }
    assert_eq!(server.stats().clients, 0);
    assert_eq!(server.stats().ended, [(EndReason::Closed, 2_000)]);
}

/// A connection cannot end while its runtime does not run. `shutdown` does not wait for it without a limit.
#[tokio::test]
async fn a_connection_in_a_stalled_runtime_does_not_hold_up_a_shutdown() {
    let server = unlimited().drain_timeout(std::time::Duration::ZERO).build();
    let stalled = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_ours, theirs) = tokio::io::duplex(64);
    {
        let _guard = stalled.enter();
        server.attach(theirs, chat_server::Peer::labelled("stalled"));
    }
    server.shutdown().await;
    stalled.shutdown_background();
}
