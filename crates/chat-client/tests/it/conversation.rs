//! Conversations in memory: typed lines in, shown lines out.

use std::{future::pending, io};

use chat_client::{
    CloseReason,
    conversation::{ConversationReport, Screen, inputs, talk},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::{
    scripted_server::{MemoryServer, within},
    sessions::{bob, guest, numbered},
};

struct Shown {
    talked: ConversationReport,
    output: String,
    status: String,
}

/// Runs a conversation with this input against a server that runs the script.
async fn conversation(
    (server, client, mut events): (MemoryServer, chat_client::ChatClient, chat_client::Events),
    input: &[u8],
    serve: impl AsyncFnOnce(MemoryServer),
) -> Shown {
    let (mut output, mut status) = (Vec::new(), Vec::new());
    let mut screen = Screen::new(&mut output, &mut status);
    let talking = talk(&client, &mut events, inputs(input), &mut screen, pending());
    let (talked, ()) = within(async { tokio::join!(talking, serve(server)) }).await;
    let [output, status] = [output, status].map(|shown| String::from_utf8(shown).unwrap());
    Shown { talked, output, status }
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
    let ConversationReport { reason, refused, unacknowledged, failure, .. } = shown.talked;
    assert_eq!((reason, refused, unacknowledged, failure), (CloseReason::Left, 0, vec![], None));
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
    assert_eq!((shown.talked.reason, shown.talked.refused), (CloseReason::Left, 1));
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
    for said in ["control character", "at most 2000 characters", "line is too long", "not UTF-8", "server: fine"] {
        assert!(shown.status.contains(said), "{said}: {}", shown.status);
    }
    assert!(!shown.status.contains('\u{1b}'));
    assert_eq!(shown.talked.refused, 5);
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
    assert_eq!(shown.talked.reason, CloseReason::Eof);
    assert_eq!(shown.talked.unacknowledged, ["b".parse().unwrap(), "\u{ad}c".parse().unwrap()]);
    assert!(shown.status.contains("-- connection lost: the server closed the connection\n"), "{}", shown.status);
    assert!(shown.status.contains("-- 2 unacknowledged"), "{}", shown.status);
    assert!(shown.status.ends_with("-- unacknowledged: b\n-- unacknowledged: \\u{ad}c\n"), "{}", shown.status);
}

/// An input that does not end, like a terminal's.
fn open_input() -> (DuplexStream, DuplexStream) {
    tokio::io::duplex(4096)
}

#[tokio::test]
async fn the_servers_bye_ends_a_conversation_while_the_input_is_open() {
    let (mut server, client, mut events) = bob().await;
    let (mut typing, input) = open_input();
    let mut status = Vec::new();
    let mut screen = Screen::new(tokio::io::sink(), &mut status);
    let serve = async {
        typing.write_all(b"hello\n").await.unwrap();
        server.expect("MSG hello").await;
        server.send_lines("OK\nBYE").await;
    };
    let talking = talk(&client, &mut events, inputs(input), &mut screen, pending());
    let (talked, ()) = within(async { tokio::join!(talking, serve) }).await;
    assert_eq!(talked.reason, CloseReason::ServerBye);
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
    let (mut server, client, mut events) = bob().await;
    let ((_typing, input), (output, reader)) = (open_input(), open_input());
    drop(reader);
    let mut screen = Screen::new(output, tokio::io::sink());
    let serve = async move {
        server.send_lines("FROM al MSG hi").await;
        server.answer_bye().await;
    };
    let talking = talk(&client, &mut events, inputs(input), &mut screen, pending());
    let (talked, ()) = within(async { tokio::join!(talking, serve) }).await;
    assert_eq!((talked.reason, talked.failure), (CloseReason::Left, Some(io::ErrorKind::BrokenPipe)));
}

#[tokio::test]
async fn large_input_and_output_at_once_lose_nothing() {
    const MANY: usize = 5_000;
    let (mut server, client, mut events) = bob().await;
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
    let talking = talk(&client, &mut events, inputs(input.as_bytes()), &mut screen, pending());
    let (talked, (), ()) = within(async { tokio::join!(talking, serve, read) }).await;
    assert_eq!((talked.reason, talked.refused, talked.unacknowledged.len()), (CloseReason::Left, 0, 0));
}
