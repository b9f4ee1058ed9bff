//! The server embedded in another program: events, local clients, several listeners.

use chat_server::{ChatServer, EndReason, Event, LocalError, listen::memory};
use tokio::net::TcpListener;

use crate::support::{Peer, start, unlimited};

/// Describes an event in a few words.
pub(crate) fn describe(event: &Event) -> String {
    match event {
        Event::Joined { seq, member, .. } => format!("{seq} {member} joined"),
        Event::Message { seq, from, text, .. } => format!("{seq} {from} said {text}"),
        Event::Left { seq, member, reason, .. } => format!("{seq} {member} left: {reason}"),
        Event::Notice { seq, text, .. } => format!("{seq} notice: {text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn events_report_everything_in_order_and_end_with_the_server() {
    let (server, address) = start(unlimited()).await;
    let mut events = server.events();
    let mut ann = Peer::tcp(address).await.join("ann").await;
    ann.raw(b"MSG one\r\nBYE\r\n").await;
    ann.expect("OK").await;
    ann.expect("BYE").await;
    let _bob = Peer::tcp(address).await.join("bob").await;
    server.shutdown().await;

    let mut seen = Vec::new();
    while let Some(event) = events.recv().await {
        seen.push(event.unwrap());
    }
    let seen: Vec<_> = seen.iter().map(describe).collect();
    let expected =
        ["1 ann joined", "2 ann said one", "3 ann left: said BYE", "4 bob joined", "5 bob left: the server stopped"];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_local_client_is_a_client_like_any_other() {
    let (server, address) = start(unlimited()).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    assert_eq!(server.local("ANN").await.unwrap_err(), LocalError::NameTaken);
    assert!(matches!(server.local("guest1").await.unwrap_err(), LocalError::Name(_)));
    let mut bot = server.local("bot").await.unwrap();
    ann.expect("JOIN bot").await;
    assert!(matches!(bot.send("a\nb").await, Err(LocalError::Text(_))));
    let first = bot.send("hello").await.unwrap();
    ann.expect("FROM bot MSG hello").await;
    ann.send("MSG hi bot").await;
    ann.expect("OK").await;
    match bot.recv().await.unwrap() {
        Event::Message { seq, from, text, .. } => {
            assert_eq!((from.name().as_str(), text.as_str()), ("ann", "hi bot"));
            assert_eq!(Some(seq), first.seq().map(|first| first + 1));
        }
        other => panic!("{other:?}"),
    }
    ann.send("REQ CLIENTS").await;
    ann.expect("LIST CLIENTS 2 ann bot").await;
    bot.leave();
    ann.expect("LOGOUT bot").await;

    let bot = server.local("bot").await.unwrap();
    ann.expect("JOIN bot").await;
    drop(bot);
    ann.expect("LOGOUT bot").await;
    server.cut();
}

#[tokio::test]
async fn a_local_client_that_lags_is_cut_off_with_an_error() {
    let (server, address) = start(unlimited()).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut bot = server.local("bot").await.unwrap();
    ann.expect("JOIN bot").await;
    for n in 0..2_000 {
        ann.send(&format!("MSG {n}")).await;
        ann.expect("OK").await;
    }
    assert_eq!(bot.recv().await.unwrap_err(), LocalError::Lagged);
    ann.expect("LOGOUT bot").await;
    assert_eq!(bot.send("too late").await.unwrap_err(), LocalError::Lagged);
    assert_eq!(bot.recv().await.unwrap_err(), LocalError::Lagged);
    drop(bot);
    server.shutdown().await;
    let stats = server.stats();
    assert_eq!(
        (stats.ended_by(&EndReason::Lagged), stats.ended_by(&EndReason::Closed)),
        (1, 0),
        "it left once: {stats}"
    );
}

#[tokio::test]
async fn a_local_client_learns_that_the_server_stops() {
    let server = unlimited().build();
    let ann = server.local("ann").await.unwrap();
    let mut bot = server.local("bot").await.unwrap();
    server.shutdown().await;
    let mut left = Vec::new();
    let end = loop {
        match bot.recv().await {
            Ok(Event::Left { seq, member, reason, .. }) => left.push((seq, member.name(), reason)),
            Ok(other) => panic!("{other:?}"),
            Err(end) => break end,
        }
    };
    let stopped = EndReason::ServerStopped;
    assert_eq!(left, [(3, ann.name(), stopped.clone()), (4, bot.name(), stopped)]);
    assert_eq!(end, LocalError::Stopped);
    assert_eq!(bot.send("hello?").await.unwrap_err(), LocalError::Stopped);
    assert_eq!(server.local("late").await.unwrap_err(), LocalError::Stopped);
}

#[tokio::test]
async fn several_listeners_serve_one_room() {
    let server = ChatServer::builder().build();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let (connector, in_memory) = memory();
    let serving = tokio::spawn(server.serve(tcp).and(in_memory).into_future());
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut bob = Peer::over(connector.connect().await.unwrap()).join("bob").await;
    ann.expect("JOIN bob").await;
    ann.send("MSG hi").await;
    bob.expect("FROM ann MSG hi").await;
    server.cut();
    serving.await.unwrap();
    assert!(connector.connect().await.is_none(), "the listener is gone");
}
