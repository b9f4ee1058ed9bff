//! Servers of version 0.1 that are not quite like the contract: no flag is needed for them.

use std::time::Duration;

use chat_client::{CloseReason, SendError};

use crate::{
    scripted_server::{Server, within},
    sessions::{bob, hears},
};

#[tokio::test(start_paused = true)]
async fn a_server_without_ok_holds_up_no_send_and_no_close() {
    let (mut server, client, mut events) = bob().await;
    let serve = async {
        server.expect("MSG a\nPING").await;
        server.lines("PONG").await;
        server.expect("MSG b\nPING").await;
        server.lines("FROM al MSG hi\nPONG").await;
        server.part().await;
    };
    let talk = async {
        client.send("a".parse().unwrap()).await.unwrap();
        client.send("b".parse().unwrap()).await.unwrap();
        client.close().await.unwrap()
    };
    let (report, ()) = within(async { tokio::join!(talk, serve) }).await;
    assert_eq!((report.accepted, report.unknown), (2, 0));
    drop(within(events.next()).await);
    hears(&mut events, "al", "hi").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_nothing_leaves_messages_unknown() {
    let (mut server, client, _events) = bob().await;
    let send = tokio::time::timeout(std::time::Duration::from_mins(1), client.send("a".parse().unwrap()));
    assert_eq!(send.await.unwrap(), Err(SendError::Unknown));
    assert_eq!(client.send("b".parse().unwrap()).await, Err(SendError::Unknown));
    server.expect("MSG a\nPING\nMSG b").await;
    let (report, ()) = tokio::join!(client.close(), server.part());
    assert_eq!(report.unwrap_err().0.unknown, 2);
}

/// As by Ctrl-Z, or on a machine that is suspended: a guest cannot even ask whether it is there.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_stopped_for_a_while_is_waited_for() {
    let (mut server, stream) = Server::in_memory();
    let (client, _events) = chat_client::Login::over(stream).as_guest();
    server.expect_octets(b"\r\n").await;
    // From the second message on, as long as it likes.
    for stopped in [4, 60, 3_600] {
        let serve = async {
            server.expect("a").await;
            tokio::time::sleep(Duration::from_secs(stopped)).await;
            server.lines("OK").await;
        };
        let (sent, ()) = tokio::join!(client.send("a".parse().unwrap()), serve);
        assert_eq!(sent, Ok(()), "after {stopped} s");
    }
}

#[tokio::test(start_paused = true)]
async fn an_ok_that_comes_after_all_makes_the_session_what_it_was() {
    let (mut server, stream) = Server::in_memory();
    let (client, _events) = chat_client::Login::over(stream).as_guest();
    assert_eq!(client.send("a".parse().unwrap()).await, Err(SendError::Unknown));
    server.expect("\na").await;
    server.lines("OK").await;
    // The session has read it before it takes anything else to do.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let serve = async {
        server.expect("b").await;
        tokio::time::sleep(Duration::from_mins(10)).await;
        server.lines("OK").await;
        server.expect("BYE").await;
        server.lines("BYE").await;
    };
    let talk = async {
        client.send("b".parse().unwrap()).await.unwrap();
        client.close().await.unwrap()
    };
    let (report, ()) = tokio::join!(talk, serve);
    assert_eq!((report.accepted, report.unknown), (2, 0));
}

#[tokio::test]
async fn a_server_that_ends_lines_in_lf_is_spoken_to_in_lf() {
    let (mut server, stream) = Server::in_memory();
    let serve = async {
        server.expect("PROT 0.1 CONNECT USER bob").await;
        server.say("NAME OK\nWELCOME\n").await;
        server.expect_octets(b"MSG a\n").await;
        server.say("OK\n").await;
        server.expect_octets(b"BYE\n").await;
        server.say("BYE\n").await;
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
async fn ones_own_message_sent_back_is_shown_once() {
    let (mut server, client, mut events) = bob().await;
    let serve = async {
        server.expect("MSG a").await;
        server.lines("OK\nFROM bob MSG a\nFROM al MSG b").await;
    };
    let (sent, ()) = within(async { tokio::join!(client.send("a".parse().unwrap()), serve) }).await;
    sent.unwrap();
    assert_eq!(within(events.next()).await, Some(chat_client::Event::Accepted("a".parse().unwrap())));
    hears(&mut events, "al", "b").await;
}
