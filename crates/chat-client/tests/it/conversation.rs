//! Conversations in memory: typed lines in, shown lines out.

use std::{future::pending, time::Duration};

use chat_client::{
    ChatClient, CloseReason, Events, Login, MAX_OUTSTANDING, MAX_QUEUED, Reconnecting, Redial,
    conversation::{ConversationEnd, ConversationReport, Screen, inputs, talk, texts},
};
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
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
pub(crate) fn reason(report: &ConversationReport) -> CloseReason {
    let ConversationEnd::Closed(reason) = &report.end else { panic!("{report:?}") };
    reason.clone()
}

pub(crate) fn reconnecting((client, events): (ChatClient, Events)) -> Reconnecting {
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
    assert!(shown.status.contains("no such command here: /wat "), "{}", shown.status);
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
pub(crate) fn open_input() -> (DuplexStream, DuplexStream) {
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
