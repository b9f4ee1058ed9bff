//! What a session hears, from servers good and bad, and readers that are slow or gone.

use chat_client::{CloseReason, Event, MAX_EVENTS, ServerMessage};

use crate::{
    scripted_server::within,
    sessions::{bob, hears, message, next, numbered},
};

#[tokio::test]
async fn lines_come_whole_however_they_are_cut() {
    let (mut server, _client, mut events) = bob().await;
    server.lines("JOIN al\nFROM al MSG café 🙂\nLOGOUT al").await;
    assert_eq!(next(&mut events).await, Event::Joined("al".parse().unwrap()));
    hears(&mut events, "al", "café 🙂").await;
    assert_eq!(next(&mut events).await, Event::Left("al".parse().unwrap()));
    for octet in "FROM al MSG café 🙂\r\n".bytes() {
        server.say([octet]).await;
        tokio::task::yield_now().await;
    }
    hears(&mut events, "al", "café 🙂").await;
}

#[tokio::test]
async fn ping_is_answered_with_pong() {
    let (mut server, _client, _events) = bob().await;
    server.lines("PING\nPING").await;
    server.expect("PONG\nPONG").await;
}

#[tokio::test]
async fn a_flood_of_pings_is_answered_to_the_last() {
    let (mut server, _client, _events) = bob().await;
    server.say("PING\r\n".repeat(50_000)).await;
    server.expect(&"PONG\n".repeat(50_000)).await;
}

#[tokio::test]
async fn bad_lines_are_events_and_the_session_goes_on() {
    let (mut server, client, mut events) = bob().await;
    for (line, clause) in [
        (&b"FROM\r\n"[..], "3.5"),
        (b"FROM al MSG a\x1b[2Jb\r\n", "1.5"),
        (b"FROM b*b MSG hi\r\n", "1.6"),
        (b"FROM al MSG \xff\r\n", "1.3"),
        (b"JOIN\r\n", "1.6"),
        (&[b'x'; 9_000], "1.3"),
    ] {
        server.say(line).await;
        let Event::BadLine(error) = next(&mut events).await else { panic!("{line:?}") };
        assert_eq!(error.clause(), clause, "{line:?}");
    }
    server.say("\r\nOK\r\nNEWS at \u{9b}2J\r\nNAME REQ\r\n".replace('\u{9b}', "ten")).await;
    assert_eq!(next(&mut events).await, Event::Unexpected(ServerMessage::Ok));
    assert_eq!(next(&mut events).await, Event::Other("NEWS at ten2J".into()));
    assert_eq!(next(&mut events).await, Event::Unexpected(ServerMessage::NameReq));
    let serve = async {
        server.expect("MSG still here").await;
        server.lines("OK").await;
    };
    let (sent, ()) = within(async { tokio::join!(client.send("still here".parse().unwrap()), serve) }).await;
    sent.unwrap();
}

#[tokio::test]
async fn a_line_without_end_ends_the_session() {
    let (mut server, _client, mut events) = bob().await;
    server.say(vec![b'x'; 70_000]).await;
    assert!(matches!(next(&mut events).await, Event::BadLine(_)));
    assert_eq!(next(&mut events).await, Event::Closed(CloseReason::EndlessLine));
    server.expect_end().await;
}

#[tokio::test]
async fn nobody_needs_to_read_the_events() {
    let (mut server, client, events) = bob().await;
    drop(events);
    server.say("FROM al MSG hi\r\n".repeat(3 * MAX_EVENTS)).await;
    server.lines("PING").await;
    server.expect("PONG").await;
    let (closed, ()) = within(async { tokio::join!(client.close(), server.part()) }).await;
    closed.unwrap();
}

#[tokio::test]
async fn a_slow_reader_of_a_quiet_client_misses_nothing() {
    let (mut server, _client, mut events) = bob().await;
    let many = 3 * MAX_EVENTS;
    let flood = numbered("FROM al MSG ", many, "\r\n");
    server.say(flood + "PING\r\n").await;
    for number in 0..many {
        hears(&mut events, "al", &number.to_string()).await;
    }
    server.expect("PONG").await;
}

#[tokio::test]
async fn an_unread_stream_does_not_hold_up_a_send() {
    let (mut server, client, mut events) = bob().await;
    let (many, max) = (3 * MAX_EVENTS, MAX_EVENTS);
    let flood = numbered("FROM al MSG ", many, "\r\n");
    let serve = async {
        server.expect("MSG hi").await;
        server.say(flood + "OK\r\n").await;
    };
    let (sent, ()) = within(async { tokio::join!(client.send("hi".parse().unwrap()), serve) }).await;
    sent.unwrap();
    // The first ones are there, one more was kept, and the rest is counted where it would have stood.
    for number in 0..=max {
        hears(&mut events, "al", &number.to_string()).await;
    }
    let missed = u64::try_from(many - max - 1).unwrap() + 1;
    assert_eq!(next(&mut events).await, Event::Missed(missed), "with the message of our own");
    server.lines("FROM al MSG after").await;
    assert_eq!(next(&mut events).await, message("al", "after"));
}

#[tokio::test]
async fn an_unread_stream_does_not_hold_up_close() {
    let (mut server, client, mut events) = bob().await;
    server.say("FROM al MSG hi\r\n".repeat(2 * MAX_EVENTS)).await;
    let (closed, ()) = within(async { tokio::join!(client.close(), server.part()) }).await;
    closed.unwrap();
    let mut last = None;
    while let Some(event) = within(events.next()).await {
        last = Some(event);
    }
    assert_eq!(last, Some(Event::Closed(CloseReason::Left)));
}
