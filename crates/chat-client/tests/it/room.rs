//! Events from good and bad servers, with readers that are slow or gone.

use chat_client::{CloseReason, Event, MAX_EVENTS, ServerMessage};

use crate::{
    scripted_server::within,
    sessions::{bob, expect_message, message, next, numbered},
};

#[tokio::test]
async fn lines_are_whole_however_they_are_split() {
    let (mut server, _client, mut events) = bob().await;
    server.send_lines("JOIN al\nFROM al MSG café 🙂\nLOGOUT al").await;
    assert_eq!(next(&mut events).await, Event::joined("al".parse().unwrap()));
    expect_message(&mut events, "al", "café 🙂").await;
    assert_eq!(next(&mut events).await, Event::left("al".parse().unwrap()));
    for byte in "FROM al MSG café 🙂\r\n".bytes() {
        server.send_bytes([byte]).await;
        tokio::task::yield_now().await;
    }
    expect_message(&mut events, "al", "café 🙂").await;
}

#[tokio::test]
async fn each_ping_gets_a_pong() {
    let (mut server, _client, _events) = bob().await;
    server.send_lines("PING\nPING").await;
    server.expect("PONG\nPONG").await;
}

#[tokio::test]
async fn every_ping_of_a_flood_gets_a_pong() {
    let (mut server, _client, _events) = bob().await;
    server.send_bytes("PING\r\n".repeat(50_000)).await;
    server.expect(&"PONG\n".repeat(50_000)).await;
}

#[tokio::test]
async fn invalid_lines_are_events_and_the_session_continues() {
    let (mut server, client, mut events) = bob().await;
    for (line, clause) in [
        (&b"FROM\r\n"[..], "3.5"),
        (b"FROM al MSG a\x1b[2Jb\r\n", "1.5"),
        (b"FROM b*b MSG hi\r\n", "1.6"),
        (b"FROM al MSG \xff\r\n", "1.3"),
        (b"JOIN\r\n", "1.6"),
        (&[b'x'; 9_000], "1.3"),
    ] {
        server.send_bytes(line).await;
        let Event::BadLine(error) = next(&mut events).await else { panic!("{line:?}") };
        assert_eq!(error.clause(), clause, "{line:?}");
    }
    server.send_bytes("\r\nOK\r\nNEWS at \u{9b}2J\r\nNAME REQ\r\n".replace('\u{9b}', "ten")).await;
    assert_eq!(next(&mut events).await, Event::Unexpected(ServerMessage::Ok));
    assert_eq!(next(&mut events).await, Event::Other("NEWS at ten2J".into()));
    assert_eq!(next(&mut events).await, Event::Unexpected(ServerMessage::NameReq));
    let serve = async {
        server.expect("MSG still here").await;
        server.send_lines("OK").await;
    };
    let (sent, ()) = within(async { tokio::join!(client.send("still here".parse().unwrap()), serve) }).await;
    sent.unwrap();
}

#[tokio::test]
async fn an_endless_line_ends_the_session() {
    let (mut server, _client, mut events) = bob().await;
    server.send_bytes(vec![b'x'; 70_000]).await;
    assert!(matches!(next(&mut events).await, Event::BadLine(_)));
    assert_eq!(next(&mut events).await, Event::Closed(CloseReason::EndlessLine));
    server.expect_end().await;
}

#[tokio::test]
async fn a_dropped_event_stream_does_not_stop_the_session() {
    let (mut server, client, events) = bob().await;
    drop(events);
    server.send_bytes("FROM al MSG hi\r\n".repeat(3 * MAX_EVENTS)).await;
    server.send_lines("PING").await;
    server.expect("PONG").await;
    let (closed, ()) = within(async { tokio::join!(client.close(), server.answer_bye()) }).await;
    closed.unwrap();
}

#[tokio::test]
async fn a_slow_reader_without_requests_misses_no_event() {
    let (mut server, _client, mut events) = bob().await;
    let many = 3 * MAX_EVENTS;
    let flood = numbered("FROM al MSG ", many, "\r\n");
    server.send_bytes(flood + "PING\r\n").await;
    for number in 0..many {
        expect_message(&mut events, "al", &number.to_string()).await;
    }
    server.expect("PONG").await;
}

#[tokio::test(start_paused = true)]
async fn an_unread_stream_does_not_block_a_send() {
    let (mut server, client, mut events) = bob().await;
    let (many, max) = (3 * MAX_EVENTS, MAX_EVENTS);
    let flood = numbered("FROM al MSG ", many, "\r\n");
    let serve = async {
        server.expect("MSG hi").await;
        server.send_bytes(flood + "OK\r\n").await;
    };
    let (sent, ()) = within(async { tokio::join!(client.send("hi".parse().unwrap()), serve) }).await;
    sent.unwrap();
    // The buffer is full, one more event is held, and the others are counted in their place.
    for number in 0..=max {
        expect_message(&mut events, "al", &number.to_string()).await;
    }
    let missed = u64::try_from(many - max - 1).unwrap() + 1;
    assert_eq!(next(&mut events).await, Event::Missed(missed), "with the message of our own");
    server.send_lines("FROM al MSG after").await;
    assert_eq!(next(&mut events).await, message("al", "after"));
}

#[tokio::test(start_paused = true)]
async fn an_unread_stream_does_not_block_close() {
    let (mut server, client, mut events) = bob().await;
    server.send_bytes("FROM al MSG hi\r\n".repeat(2 * MAX_EVENTS)).await;
    let (closed, ()) = within(async { tokio::join!(client.close(), server.answer_bye()) }).await;
    closed.unwrap();
    let mut last = None;
    while let Some(event) = within(events.next()).await {
        last = Some(event);
    }
    assert_eq!(last, Some(Event::Closed(CloseReason::Left)));
}
