//! The server and the client library work together.

use chat_client::{ChatClient, Event, Events, Login, LoginError, SendError, Text};
use chat_server::{ChatServer, Name, Peer as ServerPeer};

use crate::support::{Peer, start, unlimited};

fn name(name: &str) -> Name {
    name.parse().unwrap()
}

fn text(text: &str) -> Text {
    text.parse().unwrap()
}

async fn join(server: &ChatServer, who: &str) -> (ChatClient, Events) {
    let (ours, theirs) = tokio::io::duplex(4_096);
    server.attach(theirs, ServerPeer::labelled("memory"));
    Login::over(ours).log_in(name(who)).await.unwrap()
}

#[tokio::test]
async fn the_client_library_netcat_and_a_raw_socket_share_one_room() {
    let (server, address) = start(ChatServer::builder()).await;
    let (ann, mut ann_events) =
        chat_client::connect(&address.to_string()).await.unwrap().log_in(name("ann")).await.unwrap();
    let mut netcat = Peer::tcp(address).await;
    netcat.raw(b"hello from netcat\n").await;
    assert_eq!(netcat.line_bytes().await, b"OK\n");
    let mut socket = Peer::tcp(address).await.join("monty").await;

    ann.send(text("hello both")).await.unwrap();
    assert_eq!(netcat.line_bytes().await, b"JOIN monty\n");
    assert_eq!(netcat.line_bytes().await, b"FROM ann MSG hello both\n");
    socket.expect("FROM ann MSG hello both").await;
    socket.send("MSG hello ann").await;
    socket.expect("OK").await;
    let mut names = ann.clients().await.unwrap();
    names.sort_unstable_by_key(Name::to_string);
    assert_eq!(names, [name("ann"), name("guest1"), name("monty")]);

    let expected_events = [
        Event::joined(name("guest1")),
        Event::message(name("guest1"), text("hello from netcat")),
        Event::joined(name("monty")),
        Event::accepted(text("hello both")),
        Event::message(name("monty"), text("hello ann")),
    ];
    for expected in expected_events {
        assert_eq!(format!("{:?}", ann_events.next().await.unwrap()), format!("{expected:?}"));
    }
    assert_eq!(ann.close().await.unwrap().accepted, 1);
    assert_eq!(netcat.line_bytes().await, b"FROM monty MSG hello ann\n");
    assert_eq!(netcat.line_bytes().await, b"LOGOUT ann\n");
    server.cut();
}

#[tokio::test]
async fn a_login_with_a_taken_name_can_try_another() {
    let server = unlimited().build();
    let (_ann, mut events) = join(&server, "ann").await;
    let (ours, theirs) = tokio::io::duplex(4_096);
    server.attach(theirs, ServerPeer::labelled("memory"));
    let refused = Login::over(ours).log_in(name("ANN")).await.unwrap_err();
    let LoginError::NameRefused { retry, .. } = refused else { panic!("{refused}") };
    let (_bob, _) = retry.log_in(name("bob")).await.unwrap();
    assert!(matches!(events.next().await, Some(Event::Joined { name: who, .. }) if who == name("bob")));
}

#[tokio::test]
async fn many_messages_at_once_are_all_acknowledged() {
    let server = ChatServer::builder().rate_limit(None).build();
    let (ann, ann_events) = join(&server, "ann").await;
    let (_bob, mut bob_events) = join(&server, "bob").await;
    drop(ann_events);
    let listening = tokio::spawn(async move {
        for n in 0..3_000 {
            match bob_events.next().await {
                Some(Event::Message { text, .. }) => assert_eq!(text.as_str(), n.to_string()),
                other => panic!("{other:?}"),
            }
        }
    });
    let mut receipts = Vec::new();
    for n in 0..3_000 {
        receipts.push(ann.queue(text(&n.to_string())).await.unwrap());
    }
    for receipt in receipts {
        receipt.await.unwrap();
    }
    listening.await.unwrap();
    server.shutdown().await;
    assert!(matches!(ann.send(text("too late")).await, Err(SendError::Closed | SendError::Unknown)));
}
