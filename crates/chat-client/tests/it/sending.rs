//! Messages and requests: their order, and their answers up to the end of the session.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use chat_client::{
    ChatClient, CloseReason, Event, Login, MAX_OUTSTANDING, MAX_QUEUED, Receipt, RequestError, SendError, Text,
};
use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::{
    scripted_server::{Server, within},
    sessions::{bob, expect_message, guest, next},
};

fn text(text: &str) -> Text {
    text.parse().unwrap()
}

async fn queued(client: &ChatClient, texts: &[&str]) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    for message in texts {
        receipts.push(within(client.queue(text(message))).await.unwrap());
    }
    receipts
}

#[tokio::test]
async fn pipelined_messages_get_their_answers_in_order() {
    let (mut server, client, mut events) = bob().await;
    let receipts = queued(&client, &["a", "b", "c"]).await;
    server.expect("MSG a\nMSG b\nMSG c").await;
    server.send_lines("FROM al MSG x\nOK\nFROM al MSG y\nBAD REQ\nJOIN cy\nOK").await;
    let mut answers = Vec::new();
    for receipt in receipts {
        answers.push(within(receipt).await);
    }
    assert_eq!(answers, [Ok(()), Err(SendError::Refused), Ok(())]);

    expect_message(&mut events, "al", "x").await;
    assert_eq!(next(&mut events).await, Event::accepted(text("a")));
    expect_message(&mut events, "al", "y").await;
    assert_eq!(next(&mut events).await, Event::refused(text("b")));
    assert_eq!(next(&mut events).await, Event::joined("cy".parse().unwrap()));
    assert_eq!(next(&mut events).await, Event::accepted(text("c")));
}

#[tokio::test]
async fn concurrent_sends_keep_their_order() {
    let (mut server, client, _events) = bob().await;
    let serve = async {
        server.expect("MSG a\nMSG b").await;
        server.send_lines("OK\nOK").await;
    };
    let (a, b, ()) = within(async { tokio::join!(client.send(text("a")), client.send(text("b")), serve) }).await;
    assert_eq!((a, b), (Ok(()), Ok(())));
}

#[tokio::test]
async fn an_end_in_mid_line_gives_no_message_and_leaves_sends_unknown() {
    let (mut server, client, mut events) = bob().await;
    let receipts = queued(&client, &["a", "b"]).await;
    server.expect("MSG a\nMSG b").await;
    server.send_bytes("OK\r\nFROM al MSG he").await;
    drop(server);
    let [a, b] = receipts.try_into().unwrap();
    assert_eq!(within(a).await, Ok(()));
    assert_eq!(within(b).await, Err(SendError::Unknown));
    assert_eq!(next(&mut events).await, Event::accepted(text("a")));
    assert_eq!(next(&mut events).await, Event::unknown(text("b")));
    assert_eq!(next(&mut events).await, Event::Closed(CloseReason::Eof));
    assert_eq!(within(events.next()).await, None);

    assert_eq!(within(client.send(text("c"))).await, Err(SendError::Closed), "it is certainly not sent");
    assert_eq!(within(client.clients()).await, Err(RequestError::Closed));
    let report = within(client.close()).await.unwrap_err().into_report();
    assert_eq!((report.accepted, report.unknown), (1, 1));
}

#[tokio::test]
async fn a_failed_write_does_not_hide_earlier_answers() {
    let (mut server, client, _events) = bob().await;
    let [a] = queued(&client, &["a"]).await.try_into().unwrap();
    server.expect("MSG a").await;
    server.send_lines("OK").await;
    drop(server);
    // The session has not run since. It finds its OK, a closed connection, and something to write.
    let [b] = queued(&client, &["b"]).await.try_into().unwrap();
    assert_eq!(within(a).await, Ok(()));
    assert!(matches!(within(b).await, Err(SendError::Unknown | SendError::Closed)));
}

#[tokio::test]
async fn sends_to_a_stopping_server_end_as_unknown() {
    let (mut server, client, mut events) = bob().await;
    let receipts = queued(&client, &["a"]).await;
    server.expect("MSG a").await;
    server.send_lines("BYE").await;
    for receipt in receipts {
        assert_eq!(within(receipt).await, Err(SendError::Unknown));
    }
    assert_eq!(next(&mut events).await, Event::unknown(text("a")));
    assert_eq!(next(&mut events).await, Event::Closed(CloseReason::ServerBye));
    server.expect_end().await;
}

#[tokio::test]
async fn close_waits_for_every_answer_before_its_bye() {
    let (mut server, client, mut events) = bob().await;
    let receipts = queued(&client, &["a", "b"]).await;
    let serve = async {
        server.expect("MSG a\nMSG b").await;
        // PONG precedes BYE, and nothing is sent in between.
        server.send_lines("OK\nPING").await;
        server.expect("PONG").await;
        server.send_lines("BAD REQ").await;
        server.answer_bye().await;
    };
    let (report, ()) = within(async { tokio::join!(client.close(), serve) }).await;
    let report = report.unwrap();
    assert_eq!((&report.reason, report.accepted, report.refused, report.unknown), (&CloseReason::Left, 1, 1, 0));
    assert_eq!(within(client.close()).await, Ok(report), "again");
    drop(receipts);
    while next(&mut events).await != Event::Closed(CloseReason::Left) {}
}

#[tokio::test]
async fn close_succeeds_if_the_server_hangs_up_without_bye() {
    let (mut server, client, _events) = bob().await;
    let serve = async move { server.expect("BYE").await };
    let (report, ()) = within(async { tokio::join!(client.close(), serve) }).await;
    assert_eq!(report.unwrap().reason, CloseReason::Left);
}

#[tokio::test]
async fn dropped_handles_and_events_say_bye_after_the_last_answer() {
    let (mut server, client, events) = bob().await;
    drop(queued(&client, &["a"]).await);
    drop((client, events));
    server.expect("MSG a").await;
    server.send_lines("OK").await;
    server.answer_bye().await;
}

#[tokio::test]
async fn dropped_handles_leave_the_event_stream_open() {
    let (mut server, client, mut events) = bob().await;
    drop(client);
    server.send_lines("PING\nFROM al MSG x").await;
    server.expect("PONG").await;
    expect_message(&mut events, "al", "x").await;
    drop(events);
    server.answer_bye().await;
}

#[tokio::test]
async fn requests_get_their_answers() {
    let (mut server, client, mut events) = bob().await;
    let serve = async {
        server.expect("REQ CLIENTS\nPING").await;
        server.send_lines("LIST CLIENTS 3 al bob\nLIST CLIENTS 3 cy\nJOIN di\nPONG").await;
        server.expect("REQ CLIENTS\nREQ CLIENTS").await;
        server.send_lines("LIST CLIENTS 1 al bob\nBAD REQ").await;
    };
    let ask = async {
        let (names, pong) = tokio::join!(client.clients(), client.ping());
        let (malformed, refused) = tokio::join!(client.clients(), client.clients());
        (names.unwrap(), pong, malformed, refused)
    };
    let ((names, pong, malformed, refused), ()) = within(async { tokio::join!(ask, serve) }).await;
    assert_eq!(names.iter().map(chat_client::Name::as_str).collect::<Vec<_>>(), ["al", "bob", "cy"]);
    assert_eq!((pong, malformed), (Ok(()), Err(RequestError::Malformed)));
    assert_eq!(refused, Err(RequestError::Refused));
    assert_eq!(next(&mut events).await, Event::roster(names), "it stands before what came after it");
    assert_eq!(next(&mut events).await, Event::joined("di".parse().unwrap()));
}

#[tokio::test]
async fn guests_cannot_send_requests_or_bye() {
    let (_server, client, _events) = guest().await;
    assert_eq!(client.name(), None);
    assert_eq!(within(client.clients()).await, Err(RequestError::Guest));
    assert_eq!(within(client.ping()).await, Err(RequestError::Guest));
    assert_eq!(within(client.send(text("BYE"))).await, Err(SendError::Bye));
}

#[tokio::test]
async fn requests_to_an_unresponsive_server_are_limited() {
    let (mut server, client, _events) = bob().await;
    let mut receipts = queued(&client, &vec!["a"; MAX_OUTSTANDING + MAX_QUEUED]).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(client.queue(text("b")).now_or_never().is_none(), "the queue is full");
    server.send_lines("OK").await;
    receipts.push(within(client.queue(text("b"))).await.unwrap());
    drop(server);
    let (mut accepted, mut unknown, mut unsent) = (0, 0, 0);
    for receipt in receipts {
        match within(receipt).await {
            Ok(()) => accepted += 1,
            Err(SendError::Unknown) => unknown += 1,
            Err(SendError::Closed) => unsent += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((accepted, unknown, unsent), (1, MAX_OUTSTANDING, MAX_QUEUED));
}

/// Forwards bytes, and counts the writes.
struct Counting(DuplexStream, Arc<AtomicUsize>);

impl AsyncRead for Counting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn pipelined_messages_are_written_together() {
    let (mut server, stream) = Server::in_memory();
    let writes = Arc::new(AtomicUsize::new(0));
    let login = Login::over(Counting(stream, Arc::clone(&writes)));
    let (session, ()) = tokio::join!(login.log_in("bob".parse().unwrap()), server.welcome("bob"));
    let (client, _events) = session.unwrap();
    let before = writes.load(Ordering::Relaxed);
    // On this single-threaded runtime, all are queued before the session's task sees the first.
    let _receipts = queued(&client, &["a"; MAX_QUEUED]).await;
    server.expect(&"MSG a\n".repeat(MAX_QUEUED)).await;
    assert_eq!(writes.load(Ordering::Relaxed) - before, 1);
}
