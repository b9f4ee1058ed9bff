//! Conversations in memory: typed lines in, shown lines out.

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
    ChatClient, CloseReason, Events, LEAVE_TIMEOUT, Login, MAX_OUTSTANDING, MAX_QUEUED, Reconnecting, Redial,
    conversation::{ConversationEnd, ConversationReport, Screen, inputs, talk, texts},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::{Instant, sleep},
};

use crate::{
    scripted_server::{MemoryServer, Server, within, within_minutes},
    sessions::{bob, guest, numbered},
};

struct Shown {
    report: ConversationReport,
    output: String,
    status: String,
}

impl Shown {
    #[track_caller]
    fn assert_status(&self, expected: &str) {
        assert!(self.status.contains(expected), "{expected}: {}", self.status);
    }
}

#[track_caller]
fn reason(report: &ConversationReport) -> CloseReason {
    let ConversationEnd::Closed(reason) = &report.end else { panic!("{report:?}") };
    reason.clone()
}

fn reconnecting((client, events): (ChatClient, Events)) -> Reconnecting {
    Reconnecting::over(client, events)
}

/// Runs a conversation with this input against a server that runs the script.
async fn conversation(
    (server, client, events): (MemoryServer, ChatClient, Events),
    input: &[u8],
    serve: impl AsyncFnOnce(MemoryServer),
) -> Shown {
    let (mut output, mut status) = (Vec::new(), Vec::new());
    let mut screen = Screen::new(&mut output, &mut status);
    let mut sessions = reconnecting((client, events));
    let talking = talk(&mut sessions, inputs(input), &mut screen, pending());
    let (report, ()) = within(async { tokio::join!(talking, serve(server)) }).await;
    let [output, status] = [output, status].map(|shown| String::from_utf8(shown).unwrap());
    Shown { report, output, status }
}

#[tokio::test]
async fn the_end_of_the_input_waits_for_all_answers_and_says_bye() {
    let shown = conversation(bob().await, b"a\n\nb", async |mut server| {
        server.expect("MSG a\nMSG b").await;
        server.send_lines("FROM al MSG hi\nOK\nJOIN cy\nOK\nLOGOUT cy").await;
        server.answer_bye().await;
    })
    .await;
    assert_eq!(shown.output, "<al> hi\n* cy joined\n* cy left\n");
    assert_eq!(shown.status, "");
    assert_eq!((reason(&shown.report), shown.report.failure), (CloseReason::Left, None));
    assert_eq!(shown.report.without_ok(), 0);
}

#[tokio::test]
async fn commands_are_executed_and_not_sent() {
    let input = b"/help\n/clients\n/wat 1\n//quit\n/quit\nnever\n";
    let shown = conversation(bob().await, input, async |mut server| {
        server.expect("REQ CLIENTS").await;
        server.send_lines("LIST CLIENTS 2 alice bob").await;
        server.expect("MSG /quit").await;
        server.send_lines("OK").await;
        server.answer_bye().await;
    })
    .await;
    assert_eq!(shown.output, "* 2 here: alice bob\n");
    assert!(shown.status.contains("-- /clients   who is here\n"), "{}", shown.status);
    assert!(shown.status.contains("no such command: /wat "), "{}", shown.status);
    shown.assert_status("line 3 not sent: ");
    assert_eq!((reason(&shown.report), shown.report.refused), (CloseReason::Left, 1));
}

#[tokio::test]
async fn invalid_lines_are_not_sent() {
    let long = "x".repeat(2_001);
    let (long, endless) = (long.as_bytes(), "x".repeat(20_000));
    let input = [b"a\x1b[2J\n", long, b"\n", endless.as_bytes(), b"\n\xff\nfine\n"].concat();
    let shown = conversation(bob().await, &input, async |mut server| {
        server.expect("MSG fine").await;
        server.send_lines("BAD REQ").await;
        server.answer_bye().await;
    })
    .await;
    shown.assert_status("line 1 not sent: a text has no control character");
    shown.assert_status("line 2 not sent: a text has at most 2000 characters");
    shown.assert_status("line 3 not sent: the line is too long");
    shown.assert_status("line 4 not sent: the line is not UTF-8");
    shown.assert_status("refused by the server: fine");
    assert!(!shown.status.contains('\u{1b}'));
    assert_eq!(shown.report.refused, 5);
}

#[tokio::test]
async fn guests_are_told_what_they_cannot_do() {
    let shown = conversation(guest().await, b"/clients\nBYE\nhi\n", async |mut server| {
        server.expect("hi").await;
        server.send_lines("OK").await;
        server.answer_bye().await;
    })
    .await;
    assert!(shown.status.contains("guests cannot ask"), "{}", shown.status);
    assert!(shown.status.contains("a guest cannot say BYE"), "{}", shown.status);
}

#[tokio::test]
async fn a_lost_connection_lists_the_unacknowledged_messages() {
    let shown = conversation(bob().await, b"a\nb\n\xc2\xadc\n", async |mut server| {
        server.expect("MSG a\nMSG b\nMSG \u{ad}c").await;
        server.send_lines("OK").await;
    })
    .await;
    assert_eq!((reason(&shown.report), shown.report.unacknowledged), (CloseReason::Eof, 2));
    let expected = "-- unacknowledged: b\n-- unacknowledged: \\u{ad}c\n\
        -- connection lost: the server closed the connection\n\
        -- 2 unacknowledged (delivered or not, nobody can say)\n";
    assert_eq!(shown.status, expected);
}

/// An input that does not end, like a terminal's.
fn open_input() -> (DuplexStream, DuplexStream) {
    tokio::io::duplex(4096)
}

#[tokio::test]
async fn the_servers_bye_ends_a_conversation_while_the_input_is_open() {
    let (mut server, client, events) = bob().await;
    let mut sessions = reconnecting((client, events));
    let (mut typing, input) = open_input();
    let mut status = Vec::new();
    let mut screen = Screen::new(tokio::io::sink(), &mut status);
    let serve = async {
        typing.write_all(b"hello\n").await.unwrap();
        server.expect("MSG hello").await;
        server.send_lines("OK\nBYE").await;
    };
    let talking = talk(&mut sessions, inputs(input), &mut screen, pending());
    let (report, ()) = within(async { tokio::join!(talking, serve) }).await;
    assert_eq!(reason(&report), CloseReason::ServerBye);
    assert_eq!(String::from_utf8(status).unwrap(), "-- the server says BYE\n");
}

#[tokio::test]
async fn control_characters_from_the_network_are_shown_escaped() {
    let shown = conversation(bob().await, b"", async |mut server| {
        server.send_lines("FROM al MSG \u{202e}evil\u{2066}\nWALL \u{1b}]0;x\u{7}\nFROM al MSG \u{1b}[2J").await;
        server.answer_bye().await;
    })
    .await;
    assert_eq!(shown.output, "<al> \\u{202e}evil\\u{2066}\n");
    assert!(shown.status.contains("WALL \\u{1b}]0;x\\u{7}\n"), "{}", shown.status);
    assert!(shown.status.contains("\\u{1b}[2J\n"), "{}", shown.status);
}

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

/// Lines that begin with a slash are messages, not commands.
#[tokio::test]
async fn texts_are_sent_verbatim() {
    let (mut server, client, events) = bob().await;
    let (mut sessions, mut screen) = (reconnecting((client, events)), Screen::new(Vec::new(), Vec::new()));
    let serve = async move {
        server.expect("MSG /quit\nMSG // a\nMSG /home is nice\nMSG /").await;
        server.send_lines("OK\nOK\nOK\nOK").await;
        server.answer_bye().await;
    };
    let input = &b"/quit\n// a\n/home is nice\n/\n"[..];
    let talking = talk(&mut sessions, texts(input), &mut screen, pending());
    let (report, ()) = within(async { tokio::join!(talking, serve) }).await;
    assert_eq!(report.without_ok(), 0);
}

/// What was never begun is counted, too.
#[tokio::test(start_paused = true)]
async fn a_stop_counts_the_lines_that_were_not_sent() {
    const MANY: usize = 10_000;
    let (mut server, client, events) = bob().await;
    let mut sessions = reconnecting((client, events));
    let mut status = Vec::new();
    let mut screen = Screen::new(tokio::io::sink(), &mut status);
    let serve = async {
        server.expect("MSG 0\nMSG 1").await;
        server.send_lines("OK\nBAD REQ").await;
    };
    let input = numbered("", MANY, "\n");
    let (start, limit) = (Instant::now(), sleep(Duration::from_secs(5)));
    let talking = talk(&mut sessions, texts(input.as_bytes()), &mut screen, limit);
    let (report, ()) = within_minutes(async { tokio::join!(talking, serve) }).await;
    assert_eq!(reason(&report), CloseReason::TimedOut);
    assert_eq!((report.refused, report.unacknowledged), (1, MAX_OUTSTANDING as u64));
    assert_eq!(report.without_ok(), MANY as u64 - 1, "all but one");
    let status = String::from_utf8(status).unwrap();
    assert!(status.ends_with(&format!("-- {} lines of the input were not sent\n", report.unsent)), "{status}");
    assert!(start.elapsed() < Duration::from_secs(10));
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

/// A session that is lost has written some lines, and taken others without writing them. The next one sends these.
#[tokio::test(start_paused = true)]
async fn the_next_session_sends_what_the_lost_one_did_not() {
    const MANY: usize = MAX_OUTSTANDING + MAX_QUEUED + 10;
    let (servers, mut accepted) = tokio::sync::mpsc::channel(2);
    let connect = move || {
        let (server, stream) = Server::in_memory();
        servers.try_send(server).unwrap();
        std::future::ready(Ok(Login::over(stream)))
    };
    let mut sessions = Reconnecting::new(Redial::new(connect).name(Some("bob".parse().unwrap())));
    let (mut screen, input) = (Screen::new(tokio::io::sink(), tokio::io::sink()), numbered("", MANY, "\n"));
    let serve = async {
        let mut server = accepted.recv().await.unwrap();
        server.welcome("bob").await;
        server.expect(&numbered("MSG ", MAX_OUTSTANDING, "\n")).await;
        drop(server);
        let mut server: MemoryServer = accepted.recv().await.unwrap();
        server.welcome("bob").await;
        for number in MAX_OUTSTANDING..MANY {
            server.expect(&format!("MSG {number}")).await;
            server.send_lines("OK").await;
        }
        server.answer_bye().await;
    };
    let talking = talk(&mut sessions, texts(input.as_bytes()), &mut screen, pending());
    let (report, ()) = within_minutes(async { tokio::join!(talking, serve) }).await;
    assert_eq!((reason(&report), report.unsent), (CloseReason::Left, 0));
    assert_eq!(report.unacknowledged, MAX_OUTSTANDING as u64);
}
