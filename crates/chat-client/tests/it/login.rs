//! Logging in, and all ways in which a server refuses.

use chat_client::{CloseReason, ConnectError, Event, Login, LoginError};
use tokio::net::TcpListener;

use crate::{
    scripted_server::{MemoryServer, Server, within},
    sessions::{expect_message, guest, next},
};

/// The outcome of a login. The server expects the first line and then runs the script.
async fn answered(
    script: impl AsyncFnOnce(MemoryServer),
) -> Result<(chat_client::ChatClient, chat_client::Events), LoginError> {
    let (mut server, stream) = Server::in_memory();
    let serve = async move {
        server.expect("PROT 0.1 CONNECT USER bob").await;
        script(server).await;
    };
    within(async { tokio::join!(Login::over(stream).log_in("bob".parse().unwrap()), serve) }).await.0
}

/// The error of a login whose server answers with these bytes and closes.
async fn refused(bytes: &str) -> LoginError {
    answered(async |mut server| server.send_bytes(bytes).await).await.expect_err(bytes)
}

#[tokio::test]
async fn refusals_have_types() {
    assert!(matches!(refused("BAD PROT\r\n").await, LoginError::BadProt));
    assert!(matches!(refused("BAD REQ\r\n").await, LoginError::BadReq));
    assert!(matches!(refused("BYE\r\n").await, LoginError::TurnedAway));
    assert!(matches!(refused("").await, LoginError::Closed));
    assert!(matches!(refused("NAME OK\r\nWELC").await, LoginError::Closed));
    assert!(matches!(refused("NAME FAILURE\r\n").await, LoginError::OutOfAttempts { .. }));
}

#[tokio::test]
async fn a_bye_before_the_login_is_reported() {
    let (mut server, stream) = Server::in_memory();
    server.send_lines("BYE").await;
    drop(server);
    let error = within(Login::over(stream).log_in("bob".parse().unwrap())).await.unwrap_err();
    assert!(matches!(error, LoginError::TurnedAway), "{error}");
}

#[tokio::test]
async fn other_protocols_are_reported_with_their_first_line() {
    let LoginError::NotChat { line, .. } = refused("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await
    else {
        panic!("not chat")
    };
    assert_eq!(line, "HTTP/1.1 400 Bad Request");
    // It is recognised without closing, too.
    let error = answered(async |mut server| {
        server.send_bytes("220 ready\r\n".repeat(1_000)).await;
        server.expect_end().await;
    })
    .await
    .unwrap_err();
    assert!(matches!(error, LoginError::NotChat { .. }), "{error}");
    let error = refused(&"x".repeat(70_000)).await;
    assert!(matches!(error, LoginError::EndlessLine), "{error}");
}

#[tokio::test]
async fn unrelated_lines_during_the_login_are_ignored() {
    let (client, mut events) = answered(async |mut server| {
        server.send_lines("OK\nHELLO bob\nFROM\nPING\nNAME OK\nWELCOME\nFROM al MSG hi").await;
        server.expect("PONG").await;
    })
    .await
    .unwrap();
    assert_eq!(client.name().unwrap().as_str(), "bob");
    expect_message(&mut events, "al", "hi").await;
}

#[tokio::test]
async fn a_refused_name_is_retried_on_the_same_connection() {
    let (mut server, stream) = Server::in_memory();
    let serve = async {
        server.expect("PROT 0.1 CONNECT USER bob").await;
        server.send_lines("NAME FAILURE\nNAME REQ").await;
        server.expect("NAME bob2").await;
        server.send_bytes("NAME OK\nWELCOME\nFROM al MSG hi\n").await;
    };
    let log_in = async {
        let error = Login::over(stream).log_in("bob".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.to_string(), "the name bob is taken or not allowed");
        let LoginError::NameRefused { name, retry, .. } = error else { panic!("{error}") };
        assert_eq!(name.as_str(), "bob");
        retry.log_in("bob2".parse().unwrap()).await.unwrap()
    };
    let ((client, mut events), ()) = within(async { tokio::join!(log_in, serve) }).await;
    assert_eq!(client.name().unwrap().as_str(), "bob2");
    expect_message(&mut events, "al", "hi").await;
}

#[tokio::test]
async fn the_fifth_refusal_is_the_last() {
    let (mut server, stream) = Server::in_memory();
    let serve = async move {
        server.expect("PROT 0.1 CONNECT USER a0").await;
        for number in 1..5 {
            server.send_lines("NAME FAILURE\nNAME REQ").await;
            server.expect(&format!("NAME a{number}")).await;
        }
        server.send_lines("NAME FAILURE").await;
    };
    let log_in = async {
        let mut attempt = Login::over(stream).log_in("a0".parse().unwrap()).await;
        for number in 1..5 {
            let Err(LoginError::NameRefused { retry, .. }) = attempt else { panic!("failure {number}") };
            attempt = retry.log_in(format!("a{number}").parse().unwrap()).await;
        }
        attempt.unwrap_err()
    };
    let (error, ()) = within(async { tokio::join!(log_in, serve) }).await;
    assert!(matches!(error, LoginError::OutOfAttempts { name, .. } if name.as_str() == "a4"));
}

#[tokio::test]
async fn a_guest_sends_an_empty_line_first() {
    let (mut server, client, mut events) = guest().await;
    let serve = async {
        server.expect("hello").await;
        server.send_lines("OK\nJOIN guest2").await;
    };
    let (sent, ()) = within(async { tokio::join!(client.send("hello".parse().unwrap()), serve) }).await;
    sent.unwrap();
    assert_eq!(next(&mut events).await, Event::accepted("hello".parse().unwrap()));
    assert_eq!(next(&mut events).await, Event::joined("guest2".parse().unwrap()));
    let (closed, ()) = tokio::join!(client.close(), server.answer_bye());
    assert_eq!(closed.unwrap().reason, CloseReason::Left);
}

#[tokio::test]
async fn a_refused_guest_gets_the_reason() {
    for (line, why) in [("BAD PROT", CloseReason::GuestsRefused), ("BYE", CloseReason::TurnedAway)] {
        let (mut server, client, mut events) = guest().await;
        server.send_lines(line).await;
        assert_eq!(next(&mut events).await, Event::Closed(why.clone()));
        assert_eq!(within(client.closed()).await.reason, why);
    }
}

#[tokio::test]
async fn a_failed_connection_lists_its_addresses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let written = address.to_string();
    let (login, mut server) =
        within(async { tokio::join!(chat_client::connect(&written), Server::accept(&listener)) }).await;
    let (session, ()) = tokio::join!(login.unwrap().log_in("bob".parse().unwrap()), server.welcome("bob"));
    session.unwrap();

    drop(listener);
    let error = within(chat_client::connect(&written)).await.unwrap_err();
    let ConnectError::Failed(failures) = &error else { panic!("{error}") };
    assert_eq!(failures[0].0, address);
    assert!(error.to_string().starts_with(&written), "{error}");
    assert!(matches!(chat_client::connect("localhost:x").await, Err(ConnectError::Address(_))));
    assert!(matches!(chat_client::connect("unix:x").await, Err(ConnectError::NotTcp)));
}
