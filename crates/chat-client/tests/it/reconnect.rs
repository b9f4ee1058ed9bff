//! Reconnecting in memory, on paused time.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use chat_client::{CloseReason, ConnectError, Event, Login, Reconnecting, Redial, SendError, SessionEvent};

use tokio::sync::Notify;

use crate::scripted_server::{MemoryServer, Server, within, within_minutes};

/// A server in memory that can be closed. Each connection adds its server end here.
#[derive(Clone, Default)]
struct Exchange {
    lines: Arc<Mutex<Lines>>,
    called: Arc<Notify>,
}

#[derive(Default)]
struct Lines {
    open: bool,
    waiting: Vec<MemoryServer>,
}

impl Exchange {
    fn reconnecting(&self) -> Reconnecting {
        let exchange = self.clone();
        let connect = move || {
            let mut lines = exchange.lines.lock().unwrap();
            let (server, stream) = Server::in_memory();
            let open = lines.open;
            lines.waiting.extend(open.then_some(server));
            exchange.called.notify_one();
            let refused =
                || ConnectError::Failed(vec![(([0, 0, 0, 0], 0).into(), io::ErrorKind::ConnectionRefused.into())]);
            async move { if open { Ok(Login::over(stream)) } else { Err(refused()) } }
        };
        let redial = Redial::new(connect).name(Some("bob".parse().unwrap()));
        Reconnecting::new(redial.delays(|| (1..=4).map(Duration::from_secs)))
    }

    fn open(&self, open: bool) {
        self.lines.lock().unwrap().open = open;
    }

    /// Accepts a connection, and refuses the name.
    async fn refuse(&self) -> MemoryServer {
        let mut server = self.answer().await;
        server.expect("PROT 0.1 CONNECT USER bob").await;
        server.send_lines("NAME FAILURE\nNAME REQ").await;
        server
    }

    /// Waits for a connection and returns its server end.
    async fn answer(&self) -> MemoryServer {
        loop {
            let server = self.lines.lock().unwrap().waiting.pop();
            match server {
                Some(server) => return server,
                None => self.called.notified().await,
            }
        }
    }

    async fn connected(&self, room: &mut Reconnecting) -> (MemoryServer, Option<Duration>) {
        let serve = async {
            let mut server = self.answer().await;
            server.welcome("bob").await;
            server
        };
        let (server, event) = tokio::join!(serve, room.next());
        let Some(SessionEvent::Connected { gap, .. }) = event else { panic!("{event:?}") };
        (server, gap)
    }
}

#[tokio::test(start_paused = true)]
async fn a_reconnected_client_reports_the_gap_and_unknown_messages() {
    let exchange = Exchange::default();
    exchange.open(true);
    let mut room = exchange.reconnecting();
    let (mut server, gap) = exchange.connected(&mut room).await;
    assert_eq!(gap, None);
    let receipt = room.client().unwrap().queue("a".parse().unwrap()).await.unwrap();
    server.expect("MSG a").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    exchange.open(false);
    drop(server);
    let lost = room.next().await;
    assert!(matches!(lost, Some(SessionEvent::Event(Event::Unknown { .. }))), "{lost:?}");
    let lost = room.next().await;
    assert!(matches!(lost, Some(SessionEvent::Lost { reason: CloseReason::Eof, unknown: 1, .. })), "{lost:?}");
    assert_eq!(receipt.await, Err(SendError::Unknown));
    assert_eq!(room.send("b".parse().unwrap()).await, Err(SendError::Closed));

    let failed = room.next().await;
    assert!(
        matches!(&failed, Some(SessionEvent::Failed { retry_in: Some(retry_in), .. }) if retry_in.as_secs() == 2),
        "{failed:?}"
    );
    exchange.open(true);
    let (server, gap) = exchange.connected(&mut room).await;
    assert_eq!(
        gap.map(|gap| gap.as_secs()),
        Some(5),
        "two of silence, one before the first attempt, two before the second"
    );
    // Neither message is sent again.
    let (closed, ()) = tokio::join!(room.client().unwrap().close(), server.answer_bye());
    closed.unwrap();
    let end = room.next().await;
    assert!(matches!(end, Some(SessionEvent::Event(Event::Closed(CloseReason::Left)))), "{end:?}");
    assert!(room.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn attempts_end_with_the_delays() {
    let mut room = Exchange::default().reconnecting();
    let mut waited = Vec::new();
    while let Some(SessionEvent::Failed { retry_in, .. }) = within(room.next()).await {
        waited.push(retry_in.map(|retry_in| retry_in.as_secs()));
    }
    assert_eq!(waited, [Some(1), Some(2), Some(3), Some(4), None]);
}

#[tokio::test(start_paused = true)]
async fn a_name_held_by_the_lost_session_is_retried() {
    let exchange = Exchange::default();
    exchange.open(true);
    let mut room = exchange.reconnecting();
    let (server, _) = exchange.connected(&mut room).await;
    drop(server);
    assert!(matches!(room.next().await, Some(SessionEvent::Lost { .. })));
    let (_server, failed) = tokio::join!(exchange.refuse(), room.next());
    assert!(matches!(failed, Some(SessionEvent::Failed { retry_in: Some(_), .. })), "{failed:?}");
    exchange.connected(&mut room).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_refused_at_first_is_not_retried() {
    let exchange = Exchange::default();
    exchange.open(true);
    let mut room = exchange.reconnecting();
    let (_server, failed) = tokio::join!(exchange.refuse(), room.next());
    assert!(matches!(failed, Some(SessionEvent::Failed { retry_in: None, .. })), "{failed:?}");
    assert!(room.next().await.is_none());
}

/// A link that drops everything looks like a silent server. The client notices within 90 seconds, and the gap counts from
/// the last line.
#[tokio::test(start_paused = true)]
async fn a_dead_link_is_noticed_and_the_client_comes_back() {
    let exchange = Exchange::default();
    exchange.open(true);
    let mut room = exchange.reconnecting();
    let (_dead, _) = exchange.connected(&mut room).await;
    let start = tokio::time::Instant::now();
    let lost = within_minutes(room.next()).await;
    assert!(matches!(lost, Some(SessionEvent::Lost { reason: CloseReason::Silent, .. })), "{lost:?}");
    assert!(start.elapsed() <= Duration::from_secs(90), "{:?}", start.elapsed());
    let (_server, gap) = exchange.connected(&mut room).await;
    assert_eq!(gap, Some(start.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn a_user_can_force_a_reconnection() {
    let exchange = Exchange::default();
    exchange.open(true);
    let mut room = exchange.reconnecting();
    let (_frozen, _) = exchange.connected(&mut room).await;
    let start = tokio::time::Instant::now();
    room.reconnect();
    let lost = room.next().await;
    assert!(matches!(lost, Some(SessionEvent::Lost { .. })), "{lost:?}");
    // This server accepts, and never answers the login.
    let (silent, ()) = tokio::join!(exchange.answer(), async {
        let attempt = tokio::time::timeout(Duration::from_secs(1), room.next()).await;
        assert!(attempt.is_err(), "{attempt:?}");
    });
    room.reconnect();
    exchange.connected(&mut room).await;
    assert_eq!(start.elapsed(), Duration::from_secs(1), "no delay between attempts");
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn a_login_without_an_answer_is_retried() {
    let exchange = Exchange::default();
    exchange.open(true);
    let mut room = exchange.reconnecting();
    let (_silent, failed) = tokio::join!(exchange.answer(), room.next());
    let Some(SessionEvent::Failed { error, retry_in: Some(_), .. }) = failed else { panic!("{failed:?}") };
    assert_eq!(error.to_string(), "the server did not answer the login within 15 s");
    exchange.connected(&mut room).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_connects_once_does_not_reconnect() {
    let exchange = Exchange::default();
    let mut room = exchange.reconnecting().once();
    let failed = room.next().await;
    assert!(matches!(failed, Some(SessionEvent::Failed { retry_in: None, .. })), "{failed:?}");
    assert!(room.next().await.is_none());

    exchange.open(true);
    let mut room = exchange.reconnecting().once();
    drop(exchange.connected(&mut room).await);
    assert!(matches!(room.next().await, Some(SessionEvent::Lost { is_last: true, .. })));
    assert!(room.next().await.is_none());
}
