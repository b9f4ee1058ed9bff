//! Other servers of version 0.1, which do not follow the contract exactly. They need no flag.

use std::time::Duration;

use chat_client::CloseReason;

use crate::{
    scripted_server::{Server, within, within_minutes},
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

/// The server is suspended, for example by Ctrl-Z. A guest cannot send `PING` to find out.
#[tokio::test(start_paused = true)]
async fn messages_wait_for_a_suspended_server() {
    let (mut server, stream) = Server::in_memory();
    let (client, _events) = chat_client::Login::over(stream).as_guest();
    server.expect_bytes(b"\r\n").await;
    for stopped in [3_600, 4, 60] {
        let serve = async {
            server.expect("a").await;
            tokio::time::sleep(Duration::from_secs(stopped)).await;
            server.send_lines("OK").await;
        };
        let (sent, ()) = tokio::join!(client.send("a".parse().unwrap()), serve);
        assert_eq!(sent, Ok(()), "after {stopped} s");
    }
}

/// A name allows `PING`, which a suspended server does not answer. It has a minute.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_suspended_for_less_than_a_minute_loses_nothing() {
    let (mut server, client, _events) = bob().await;
    let serve = async {
        server.expect("MSG a").await;
        tokio::time::sleep(Duration::from_secs(55)).await;
        server.expect("PING\nPING").await;
        server.send_lines("OK\nPONG\nPONG").await;
        server.expect("MSG b").await;
        tokio::time::sleep(Duration::from_secs(25)).await;
        server.send_lines("OK").await;
        server.answer_bye().await;
    };
    let talk = async {
        client.send("a".parse().unwrap()).await.unwrap();
        client.send("b".parse().unwrap()).await.unwrap();
        client.close().await.unwrap()
    };
    let (report, ()) = within_minutes(async { tokio::join!(talk, serve) }).await;
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
