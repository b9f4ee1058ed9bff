//! How the server stops: every member's leave has a number and an event, and no connection or task remains.

use std::{collections::BTreeMap, time::Duration};

use chat_server::{ChatServer, EndReason, Event, Events, LocalError, Peer as ServerPeer};
use tokio::{runtime::Runtime, time::timeout};

use crate::support::{Peer, start, unlimited};

/// Longer than any step of a passing test takes.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A client that is attached to the server in memory.
fn attached(server: &ChatServer) -> Peer {
    let (ours, theirs) = tokio::io::duplex(65_536);
    server.attach(theirs, ServerPeer::labelled("test"));
    Peer::over(ours)
}

/// All events up to the end of the subscription.
async fn all_events(mut events: Events) -> Vec<Event> {
    let mut seen = Vec::new();
    while let Some(event) = timeout(TEST_TIMEOUT, events.recv()).await.expect("the subscription ends") {
        seen.push(event.unwrap());
    }
    seen
}

/// Checks that the events have consecutive numbers. Returns the members that left, with their reasons.
#[track_caller]
fn leaves(events: &[Event]) -> BTreeMap<String, EndReason> {
    let numbers: Vec<_> = events.iter().map(Event::seq).collect();
    let first = numbers.first().copied().unwrap_or_default();
    assert_eq!(numbers, (first..).take(numbers.len()).collect::<Vec<_>>(), "the numbers are consecutive");
    let left = events.iter().filter_map(|event| match event {
        Event::Left { member, reason, .. } => Some((member.to_string(), reason.clone())),
        _ => None,
    });
    left.collect()
}

fn expected_leaves(names: &[&str], reason: &EndReason) -> BTreeMap<String, EndReason> {
    names.iter().map(|name| ((*name).to_owned(), reason.clone())).collect()
}

/// The runtime has one thread, so no other task runs between the return of `shutdown` and the checks.
#[tokio::test]
async fn shutdown_returns_when_every_leave_is_published_and_statistics_are_final() {
    for _ in 0..50 {
        let server = unlimited().build();
        let _bot = server.local("bot").await.unwrap();
        let ann = attached(&server).join("ann").await;
        let mut events = server.events();
        let (report, rest) = tokio::join!(server.shutdown(), ann.into_rest());
        assert_eq!((report.drained, report.cut, rest.as_str()), (1, 0, "BYE\r\n"), "no LOGOUT at a stop (6.3)");
        let stats = server.stats();
        assert_eq!((stats.connections, stats.clients, stats.tasks), (0, 0, 0));
        assert_eq!(stats.ended, [(EndReason::ServerStopped, 2)]);
        // All events are published already, so the test does not wait for them.
        let mut seen = Vec::new();
        while let Some(Some(event)) = futures::FutureExt::now_or_never(events.recv()) {
            seen.push(event.unwrap());
        }
        assert_eq!(leaves(&seen), expected_leaves(&["ann", "bot"], &EndReason::ServerStopped));
    }
}

#[tokio::test]
async fn the_last_to_join_sees_every_leave_at_the_stop() {
    let server = unlimited().build();
    let _first = server.local("first").await.unwrap();
    let _second = attached(&server).join("second").await;
    let mut last = server.local("last").await.unwrap();
    server.shutdown().await;
    let mut seen = Vec::new();
    let end = loop {
        match timeout(TEST_TIMEOUT, last.recv()).await.expect("the client receives the end") {
            Ok(event) => seen.push(event),
            Err(end) => break end,
        }
    };
    assert_eq!(end, LocalError::Stopped);
    assert_eq!(leaves(&seen), expected_leaves(&["first", "second", "last"], &EndReason::ServerStopped));
}

#[tokio::test]
async fn cut_alone_ends_everything() {
    let server = unlimited().build();
    let events = server.events();
    let mut bot = server.local("bot").await.unwrap();
    let ann = attached(&server).join("ann").await;
    let mut unnamed = attached(&server);
    unnamed.send("PROT 0.1 CONNECT NEW").await;
    unnamed.expect("NAME REQ").await;
    server.cut();
    let receiving = async { while bot.recv().await.is_ok() {} };
    timeout(TEST_TIMEOUT, receiving).await.expect("the client receives the end");
    assert_eq!(bot.recv().await.unwrap_err(), LocalError::Stopped);
    assert_eq!(bot.send("hello?").await.unwrap_err(), LocalError::Stopped);
    ann.into_rest().await;
    assert_eq!(leaves(&all_events(events).await), expected_leaves(&["ann", "bot"], &EndReason::ServerCut));
    let report = timeout(TEST_TIMEOUT, server.shutdown()).await.expect("no connection remains");
    assert_eq!(report.drained + report.cut, 1);
    let stats = server.stats();
    assert_eq!((stats.connections, stats.clients, stats.tasks), (0, 0, 0));
    assert_eq!(stats.ended_by(&EndReason::ServerCut), 3, "{stats}");
}

/// The server's runtime ends. Its handles and a connection are in another runtime.
#[tokio::test]
async fn a_server_whose_runtime_has_ended_reports_it() {
    let runtime = Runtime::new().unwrap();
    let server = {
        let _inside = runtime.enter();
        unlimited().build()
    };
    let (connector, listener) = chat_server::listen::memory();
    let serving = tokio::spawn(server.serve(listener).into_future());
    let mut ann = Peer::over(connector.connect().await.unwrap()).join("ann").await;
    let mut bot = server.local("bot").await.unwrap();
    ann.expect("JOIN bot").await;
    let events = server.events();
    runtime.shutdown_background();

    timeout(TEST_TIMEOUT, server.stopping()).await.expect("the server reports the end");
    let report = timeout(TEST_TIMEOUT, serving).await.expect("serving ends").unwrap();
    assert!(report.failed, "no caller stopped it");
    assert_eq!(ann.rest().await, "BYE\r\n");
    assert_eq!(leaves(&all_events(events).await), expected_leaves(&["ann", "bot"], &EndReason::ServerStopped));
    while timeout(TEST_TIMEOUT, bot.recv()).await.expect("the client receives the end").is_ok() {}
    assert_eq!(bot.recv().await.unwrap_err(), LocalError::Stopped);
    assert_eq!(bot.send("hello?").await.unwrap_err(), LocalError::Stopped);
    assert_eq!(server.local("late").await.unwrap_err(), LocalError::Stopped);
    assert!(server.events().recv().await.is_none());
    let stats = server.stats();
    assert_eq!((stats.connections, stats.clients, stats.tasks), (0, 0, 0));
}

/// Until the last client leaves, the server serves the clients that are connected.
#[tokio::test]
async fn the_last_client_to_leave_ends_a_server_without_handles() {
    let server = unlimited().build();
    let mut ann = attached(&server).join("ann").await;
    let bot = server.local("bot").await.unwrap();
    ann.expect("JOIN bot").await;
    let mut events = server.events();
    drop(server);
    bot.send("still here").await.unwrap();
    ann.expect("FROM bot MSG still here").await;
    assert!(matches!(events.recv().await, Some(Ok(Event::Message { .. }))));
    drop(bot);
    ann.expect("LOGOUT bot").await;
    ann.send("BYE").await;
    assert_eq!(ann.rest().await, "BYE\r\n");
    assert_eq!(leaves(&all_events(events).await).len(), 2);
}

#[tokio::test]
async fn dropping_the_last_handle_ends_an_empty_server() {
    let server = unlimited().build();
    let events = server.events();
    drop(server);
    assert!(all_events(events).await.is_empty());
}

/// The report counts the client as cut. Events and statistics still name the stop.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_cut_while_draining_has_the_stop_as_its_reason() {
    let server = unlimited().build();
    let events = server.events();
    let bot = server.local("bot").await.unwrap();
    let (ours, theirs) = tokio::io::duplex(64);
    server.attach(theirs, ServerPeer::labelled("sleeper"));
    let sleeper = Peer::over(ours).join("sleeper").await;
    bot.send("x".repeat(1_000)).await.unwrap();
    let report = server.shutdown().await;
    assert_eq!((report.drained, report.cut), (0, 1));
    assert_eq!(leaves(&all_events(events).await), expected_leaves(&["bot", "sleeper"], &EndReason::ServerStopped));
    assert_eq!(server.stats().ended, [(EndReason::ServerStopped, 2)]);
    drop(sleeper);
}

#[tokio::test]
async fn a_cut_ends_every_connection_of_a_listener() {
    let (server, address) = start(unlimited()).await;
    let ann = Peer::tcp(address).await.join("ann").await;
    server.cut();
    ann.into_rest().await;
    server.shutdown().await;
    assert_eq!(server.stats().clients, 0);
}
