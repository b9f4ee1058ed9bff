//! Sessions with a scripted server in memory, and expectations about their events.

use chat_client::{ChatClient, Event, Events, Login};

use crate::scripted_server::{MemoryServer, Server, within};

/// A session under the name bob, and its server.
pub(crate) async fn bob() -> (MemoryServer, ChatClient, Events) {
    let (mut server, stream) = Server::in_memory();
    let (session, ()) = tokio::join!(Login::over(stream).log_in("bob".parse().unwrap()), server.welcome("bob"));
    let (client, events) = session.unwrap();
    (server, client, events)
}

/// A guest's session, and its server.
pub(crate) async fn guest() -> (MemoryServer, ChatClient, Events) {
    let (mut server, stream) = Server::in_memory();
    let (client, events) = Login::over(stream).as_guest();
    server.expect("\n").await;
    (server, client, events)
}

pub(crate) async fn next(events: &mut Events) -> Event {
    within(events.next()).await.expect("Closed is the last event")
}

/// Expects a message as the next event.
#[track_caller]
pub(crate) fn expect_message(events: &mut Events, from: &str, text: &str) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    let expected = message(from, text);
    async move { assert_eq!(next(events).await, expected, "expected at {place}") }
}

pub(crate) fn message(from: &str, text: &str) -> Event {
    Event::message(from.parse().unwrap(), text.parse().unwrap())
}

/// The lines `{before}0` to `{before}{many - 1}`, each with this end.
pub(crate) fn numbered(before: &str, many: usize, end: &str) -> String {
    (0..many).map(|number| format!("{before}{number}{end}")).collect::<Vec<_>>().concat()
}
