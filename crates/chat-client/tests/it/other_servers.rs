//! Other servers of version 0.1, which do not follow the contract exactly. They need no flag.

use std::time::Duration;

use chat_client::{CloseReason, SendError};

use crate::{
    scripted_server::{Server, within},
    sessions::{bob, expect_message},
};

#[tokio::test(start_paused = true)]
async fn a_server_without_ok_blocks_neither_send_nor_close() {
    let (mut server, client, mut events) = bob().await;
    let serve = async {
        server.expect("MSG a\nPING").await;
        server.send_lines("PONG").await;
        server.expect("MSG b\nPING").await;
        server.send_lines("FROM al MSG hi\nPONG").await;
        server.answer_bye().await;
    };
    let talk = async {
        client.send("a".parse().unwrap()).await.unwrap();
        client.send("b".parse().unwrap()).await.unwrap();
        client.close().await.unwrap()
    };
    let (report, ()) = within(async { tokio::join!(talk, serve) }).await;
    assert_eq!((report.accepted, report.unknown), (2, 0));
    drop(within(events.next()).await);
    expect_message(&mut events, "al", "hi").await;
}

#[tokio::test(start_paused = true)]
async fn messages_to_an_unresponsive_server_are_unknown() {
    let (mut server, client, _events) = bob().await;
    let send = tokio::time::timeout(Duration::from_secs(60), client.send("a".parse().unwrap()));
    assert_eq!(send.await.unwrap(), Err(SendError::Unknown));
    assert_eq!(client.send("b".parse().unwrap()).await, Err(SendError::Unknown));
    server.expect("MSG a\nPING\nMSG b").await;
    let (report, ()) = tokio::join!(client.close(), server.answer_bye());
    assert_eq!(report.unwrap_err().report().unknown, 2);
}

/// The server is suspended, for example by Ctrl-Z. A guest cannot send `PING` to find out.
#[tokio::test(start_paused = true)]
async fn messages_wait_for_a_suspended_server() {
    let (mut server, stream) = Server::in_memory();
    let (client, _events) = chat_client::Login::over(stream).as_guest();
    server.expect_bytes(b"\r\n").await;
    // After the first answer there is no time limit.
    for stopped in [4, 60, 3_600] {
        let serve = async {
            server.expect("a").await;
            tokio::time::sleep(Duration::from_secs(stopped)).await;
            server.send_lines("OK").await;
        };
        let (sent, ()) = tokio::join!(client.send("a".parse().unwrap()), serve);
        assert_eq!(sent, Ok(()), "after {stopped} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_ok_makes_messages_wait_for_answers_again() {
    let (mut server, stream) = Server::in_memory();
    let (client, _events) = chat_client::Login::over(stream).as_guest();
    assert_eq!(client.send("a".parse().unwrap()).await, Err(SendError::Unknown));
    server.expect("\na").await;
    server.send_lines("OK").await;
    // The session reads the OK before the next request.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let serve = async {
        server.expect("b").await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        server.send_lines("OK").await;
        server.expect("BYE").await;
        server.send_lines("BYE").await;
    };
    let talk = async {
        client.send("b".parse().unwrap()).await.unwrap();
        client.close().await.unwrap()
    };
    let (report, ()) = tokio::join!(talk, serve);
    assert_eq!((report.accepted, report.unknown), (2, 0));
}

#[tokio::test]
async fn a_server_that_ends_lines_in_lf_gets_lf() {
    let (mut server, stream) = Server::in_memory();
    let serve = async {
        server.expect("PROT 0.1 CONNECT USER bob").await;
        server.send_bytes("NAME OK\nWELCOME\n").await;
        server.expect_bytes(b"MSG a\n").await;
        server.send_bytes("OK\n").await;
        server.expect_bytes(b"BYE\n").await;
        server.send_bytes("BYE\n").await;
    };
    let talk = async {
        let (client, _events) = chat_client::Login::over(stream).log_in("bob".parse().unwrap()).await.unwrap();
        client.send("a".parse().unwrap()).await.unwrap();
        client.close().await.unwrap()
    };
    let (report, ()) = within(async { tokio::join!(talk, serve) }).await;
    assert_eq!(report.reason, CloseReason::Left);
}

#[tokio::test]
async fn an_echoed_message_is_shown_once() {
    let (mut server, client, mut events) = bob().await;
    let serve = async {
        server.expect("MSG a").await;
        server.send_lines("OK\nFROM bob MSG a\nFROM al MSG b").await;
    };
    let (sent, ()) = within(async { tokio::join!(client.send("a".parse().unwrap()), serve) }).await;
    sent.unwrap();
    assert_eq!(within(events.next()).await, Some(chat_client::Event::accepted("a".parse().unwrap())));
    expect_message(&mut events, "al", "b").await;
}
