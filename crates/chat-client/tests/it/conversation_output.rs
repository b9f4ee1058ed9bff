//! Conversations whose output is closed, slow, unread or broken.

use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chat_client::{
    CloseReason, LEAVE_TIMEOUT,
    conversation::{Screen, inputs, talk, texts},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep},
};

use crate::{
    conversation::{open_input, reason, reconnecting},
    scripted_server::{within, within_minutes},
    sessions::{bob, numbered},
};

#[tokio::test]
async fn a_closed_output_ends_the_conversation() {
    let (mut server, client, events) = bob().await;
    let mut sessions = reconnecting((client, events));
    let ((_typing, input), (output, reader)) = (open_input(), open_input());
    drop(reader);
    let mut screen = Screen::new(output, tokio::io::sink());
    let serve = async move {
        server.send_lines("FROM al MSG hi").await;
        server.answer_bye().await;
    };
    let talking = talk(&mut sessions, inputs(input), &mut screen, pending());
    let (report, ()) = within(async { tokio::join!(talking, serve) }).await;
    assert_eq!((reason(&report), report.failure), (CloseReason::Left, Some(io::ErrorKind::BrokenPipe)));
}

#[tokio::test]
async fn large_input_and_output_at_once_lose_nothing() {
    const MANY: usize = 5_000;
    let (mut server, client, events) = bob().await;
    let mut sessions = reconnecting((client, events));
    let input = numbered("", MANY, "\n");
    let (output, mut reader) = tokio::io::duplex(64);
    let mut screen = Screen::new(output, tokio::io::sink());
    let serve = async move {
        for number in 0..MANY {
            server.expect(&format!("MSG {number}")).await;
            server.send_lines(&format!("FROM al MSG {number}\nOK")).await;
        }
        server.answer_bye().await;
    };
    let read = async {
        let (mut shown, mut buffer) = (Vec::new(), [0; 1024]);
        let expected = numbered("<al> ", MANY, "\n");
        while shown.len() < expected.len() {
            let count = reader.read(&mut buffer).await.unwrap();
            shown.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
    };
    let talking = talk(&mut sessions, inputs(input.as_bytes()), &mut screen, pending());
    let (report, (), ()) = within(async { tokio::join!(talking, serve, read) }).await;
    assert_eq!((reason(&report), report.without_ok()), (CloseReason::Left, 0));
}

/// The server floods while the client waits for answers, and the output is slow: it stops for longer than a request may be
/// held up by it, and than a server may take for an answer. No line of others is missed.
#[tokio::test(start_paused = true)]
async fn a_slow_output_misses_no_line_although_messages_wait_for_answers() {
    const MANY: usize = 20_000;
    let (mut server, client, events) = bob().await;
    let mut sessions = reconnecting((client, events));
    let (output, mut reader) = tokio::io::duplex(64);
    let mut screen = Screen::new(output, tokio::io::sink());
    let serve = async move {
        server.expect("MSG a").await;
        server.send_bytes(numbered("FROM al MSG ", MANY, "\r\n")).await;
        server.send_lines("OK").await;
        // The client has not read the `OK` when it asks for a sign of it.
        server.expect("PING").await;
        server.send_lines("PONG").await;
        sleep(2 * LEAVE_TIMEOUT).await;
        server.answer_bye().await;
    };
    let read = async {
        let (mut shown, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
        let expected = numbered("<al> ", MANY, "\n");
        while shown.len() < expected.len() {
            if shown.is_empty() {
                sleep(2 * LEAVE_TIMEOUT).await;
            }
            let count = reader.read(&mut buffer).await.unwrap();
            shown.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
    };
    let talking = talk(&mut sessions, texts(&b"a\n"[..]), &mut screen, pending());
    let (report, (), ()) = within_minutes(async { tokio::join!(talking, serve, read) }).await;
    assert_eq!((reason(&report), report.without_ok()), (CloseReason::Left, 0));
}

/// Neither the stop nor the end of the session waits for an output that is not read.
#[tokio::test(start_paused = true)]
async fn an_unread_output_does_not_delay_the_stop() {
    let (mut server, client, events) = bob().await;
    let mut sessions = reconnecting((client, events));
    let (output, _unread) = tokio::io::duplex(64);
    let (mut typing, input) = open_input();
    let mut screen = Screen::new(output, tokio::io::sink());
    let serve = async {
        typing.write_all(b"a\n").await.unwrap();
        server.expect("MSG a").await;
        server.send_bytes(numbered("FROM al MSG ", 10_000, "\r\n")).await;
        server.send_lines("OK").await;
        server.expect("PING").await;
        server.send_lines("PONG").await;
        server.answer_bye().await;
    };
    let (start, limit) = (Instant::now(), sleep(Duration::from_secs(5)));
    let talking = talk(&mut sessions, texts(input), &mut screen, limit);
    let (report, ()) = within_minutes(async { tokio::join!(talking, serve) }).await;
    assert_eq!((reason(&report), report.without_ok()), (CloseReason::Left, 0));
    assert_eq!(report.failure, Some(io::ErrorKind::TimedOut));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// Failed lines of the input do not fill the memory while nobody reads what is shown of them.
#[tokio::test(start_paused = true)]
async fn failed_lines_wait_for_an_unread_output() {
    let (server, client, events) = bob().await;
    let mut sessions = reconnecting((client, events));
    let (output, _unread) = tokio::io::duplex(64);
    let (shown, limit) = (Arc::new(AtomicUsize::new(0)), sleep(Duration::from_secs(5)));
    let counter = Arc::clone(&shown);
    let mut screen = Screen::new(output, tokio::io::sink()).format_failure(move |_, lines| {
        counter.fetch_add(1, Ordering::Relaxed);
        lines.data(&"x".repeat(63));
    });
    let input = "/nope\n".repeat(20_000);
    let talking = talk(&mut sessions, inputs(input.as_bytes()), &mut screen, limit);
    within_minutes(async { tokio::join!(talking, server.answer_bye()) }).await;
    let shown = shown.load(Ordering::Relaxed);
    assert!((1..=1_100).contains(&shown), "{shown} lines of 64 bytes");
}

/// An output that fails, such as a full disk.
struct Full;

impl tokio::io::AsyncWrite for Full {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::task::Poll::Ready(Err(io::ErrorKind::StorageFull.into()))
    }

    fn poll_flush(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_failed_output_ends_the_conversation_and_is_reported() {
    let (mut server, client, events) = bob().await;
    let mut sessions = reconnecting((client, events));
    let ((_typing, input), mut status) = (open_input(), Vec::new());
    let mut screen = Screen::new(Full, &mut status);
    let serve = async move {
        server.send_lines("FROM al MSG hi").await;
        server.answer_bye().await;
    };
    let talking = talk(&mut sessions, texts(input), &mut screen, pending());
    let (report, ()) = within(async { tokio::join!(talking, serve) }).await;
    assert_eq!(report.failure, Some(io::ErrorKind::StorageFull));
    let status = String::from_utf8(status).unwrap();
    assert!(status.contains("-- cannot write the output: no storage space\n"), "{status}");
}
