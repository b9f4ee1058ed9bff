//! Tests of what a person types and sees.

use pty_process::{Command, Size};

use super::{BELL, ESC, PROGRAM, Terminal, ann, welcome};
use crate::scripted_server::{Server, listen};

#[tokio::test]
async fn messages_that_arrive_during_typing_leave_the_line_whole() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    let draft = "a draft, typed slowly";
    let mut typed = String::from(">> ");
    for (number, key) in draft.chars().enumerate() {
        typed.push(key);
        server.send_lines(&format!("FROM bob MSG one {number}\nFROM bob MSG two {number}")).await;
        terminal.press(&key.to_string()).await;
        let last = format!("<bob> two {number}");
        let line = typed.trim_end().to_owned();
        terminal.until(|screen| screen.contains(&last) && screen.trim_end().ends_with(&line)).await;
    }
    let screen = terminal.until_typed(&typed).await;
    let shown: Vec<_> = screen.lines().filter(|line| line.contains("<bob>")).map(str::trim_end).collect();
    let all: Vec<_> =
        (0..draft.len()).flat_map(|number| [format!("<bob> one {number}"), format!("<bob> two {number}")]).collect();
    assert_eq!(shown, all[all.len() - shown.len()..], "no line is missing or shown twice");
    assert!(shown.len() > 15, "{screen}");

    terminal.press("\r").await;
    terminal.during(server.expect(&format!("MSG {draft}"))).await;
    terminal.until_typed("1>").await;
    let screen = terminal.until(|screen| screen.contains("[no OK yet]")).await;
    assert!(!screen.contains(&format!("<ann> {draft}\n")), "{screen}");
    server.send_lines("OK").await;
    terminal.until(|screen| screen.contains(&format!("<ann> {draft}\n"))).await;
    terminal.until_typed(">>").await;
}

#[tokio::test]
async fn a_draft_with_accents_hides_no_message_above_it() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    let draft = "é".repeat(60);
    terminal.press(&draft).await;
    let typed = format!(">> {draft}");
    terminal.until_typed(&typed).await;
    for number in 0..5 {
        server.send_lines(&format!("FROM bob MSG number {number}")).await;
        let last = format!("<bob> number {number}");
        terminal.until(|screen| screen.contains(&last) && screen.trim_end().ends_with(&typed)).await;
    }
    let all = (0..5).map(|number| format!("<bob> number {number}\n")).collect::<Vec<_>>().concat();
    terminal.until(|screen| screen.contains(&format!("{all}{typed}"))).await;
}

#[tokio::test]
async fn tab_completes_names_and_commands() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    terminal.press("bo\t").await;
    terminal.until_typed(">> bob:").await;
    terminal.press("hi\r").await;
    terminal.during(server.expect("MSG bob: hi")).await;
    server.send_lines("OK").await;
    terminal.until(|screen| screen.contains("<ann> bob: hi")).await;
    terminal.press("/cli\t\r").await;
    terminal.during(server.expect("REQ CLIENTS")).await;
}

#[tokio::test]
async fn a_resize_wraps_later_lines_and_keeps_the_draft() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    terminal.press("my draft").await;
    terminal.until_typed(">> my draft").await;
    terminal.writer.resize(Size::new(24, 30)).unwrap();
    terminal.screen.screen_mut().set_size(24, 30);
    server.send_lines("FROM bob MSG one two three four five six seven").await;
    let screen = terminal.until(|screen| screen.contains("<bob> one two three four five\n      six seven")).await;
    assert!(!screen.contains("seven eight"));
    terminal.until_typed(">> my draft").await;
    terminal.press("!\r").await;
    terminal.during(server.expect("MSG my draft!")).await;
}

#[tokio::test]
async fn a_refused_name_is_asked_for_again_with_the_reason() {
    let (listener, address) = listen().await;
    let mut terminal = Terminal::start(&[&address]);
    terminal.until_typed("name:").await;
    terminal.press("a b\r").await;
    terminal.until(|screen| screen.contains("only the letters")).await;
    terminal.press("ann\r").await;
    let refuse = async {
        let mut server = Server::accept(&listener).await;
        server.expect("PROT 0.1 CONNECT USER ann").await;
        server.send_lines("NAME FAILURE\nNAME REQ").await;
    };
    let asked = terminal.until(|screen| screen.contains("ann is taken") && screen.trim_end().ends_with("name:"));
    tokio::join!(refuse, asked);
    terminal.press("ann2\r").await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.welcome("ann2").await;
        server.expect("REQ CLIENTS").await;
        server
    };
    tokio::join!(serve, terminal.until(|screen| screen.contains("as ann2")));
}

#[tokio::test]
async fn a_reconnected_client_keeps_the_draft_and_sends_nothing_twice() {
    let (listener, mut server, mut terminal) = ann(&[]).await;
    terminal.press("lost?\r").await;
    terminal.during(server.expect("MSG lost?")).await;
    terminal.press("a draft").await;
    terminal.until_typed("1> a draft").await;
    drop(server);
    terminal.until(|screen| screen.contains("[unknown: ") && screen.contains("connection lost")).await;
    let mut server = welcome(&listener, &mut terminal).await;
    let back = |screen: &str| screen.contains("reconnected after") && screen.trim_end().ends_with(">> a draft");
    terminal.until(back).await;
    terminal.press("\r").await;
    terminal.during(server.expect("MSG a draft")).await;
    server.send_lines("OK").await;
    terminal.press("\x04").await;
    terminal.during(server.answer_bye()).await;
    assert_eq!(terminal.end().await, Some(6), "the outcome of one message is unknown");
}

#[tokio::test]
async fn joins_share_a_line_and_a_mention_rings_the_bell() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    server.send_lines("JOIN al\nJOIN cy\nLOGOUT bob").await;
    terminal.until(|screen| screen.contains("* al, cy joined; bob left")).await;
    server.send_lines("NOTICE the server stops at noon").await;
    terminal.until(|screen| screen.contains("* notice: the server stops at noon")).await;
    server.send_lines("FROM al MSG annual\nFROM al MSG hi Ann").await;
    terminal.until(|screen| screen.contains("hi Ann")).await;
    assert_eq!(terminal.written(BELL), 1);
    assert!(terminal.screen.screen().contents_formatted().windows(4).any(|window| window == b"\x1b[1m"));
}

#[tokio::test]
async fn bell_and_colours_can_be_turned_off() {
    let (_listener, mut server, mut terminal) = ann(&["--bell", "never", "--color", "never"]).await;
    server.send_lines("FROM al MSG hi ann\nFROM al MSG end").await;
    terminal.until(|screen| screen.contains("<al> end")).await;
    assert_eq!(terminal.written(BELL), 0);
    let screen = terminal.screen.screen();
    let plain =
        (0..24).all(|row| (0..40).all(|column| screen.cell(row, column).unwrap().fgcolor() == vt100::Color::Default));
    assert!(plain || screen.contents().is_empty(), "{}", screen.contents());
}

#[tokio::test]
async fn control_sequences_from_the_network_are_shown_escaped() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    server
        .send_bytes("FROM al MSG \u{202e}\u{2066}x\r\nWALL \u{1b}]0;title\u{7}\u{1b}[2J\r\nFROM al MSG \u{1b}[31m\r\n")
        .await;
    let screen = terminal.until(|screen| screen.contains(r"\u{1b}[31m")).await;
    assert!(screen.contains(r"<al> \u{202e}\u{2066}x"), "{screen}");
    assert!(screen.contains(r"\u{1b}]0;title\u{7}\u{1b}[2J"), "{screen}");
    assert!(screen.contains("2 here"), "nothing was cleared: {screen}");
    assert_eq!(terminal.written(BELL), 0);
}

#[tokio::test]
async fn wide_characters_are_wrapped_by_columns() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    server.send_lines(&format!("FROM al MSG {}", "日".repeat(40))).await;
    let expected = format!("<al> {}\n     {}", "日".repeat(37), "日".repeat(3));
    terminal.until(|screen| screen.contains(&expected)).await;
}

#[tokio::test]
async fn ctrl_c_clears_the_line_and_leaves_on_an_empty_line() {
    let (_listener, server, mut terminal) = ann(&[]).await;
    terminal.press("never mind").await;
    terminal.until_typed(">> never mind").await;
    terminal.press("\x03").await;
    terminal.until_typed(">>").await;
    terminal.press("\x03").await;
    terminal.during(server.answer_bye()).await;
    assert_eq!(terminal.end().await, Some(130));
}

#[tokio::test]
async fn ctrl_d_and_quit_leave_with_bye() {
    for keys in ["\x04", "/quit\r"] {
        let (_listener, server, mut terminal) = ann(&[]).await;
        terminal.press(keys).await;
        terminal.during(server.answer_bye()).await;
        // The prompt is cleared.
        terminal.until(|screen| !screen.trim_end().ends_with(">>")).await;
        assert_eq!(terminal.end().await, Some(0));
    }
}

#[tokio::test]
async fn a_guest_can_take_a_name() {
    let (listener, address) = listen().await;
    let mut terminal = Terminal::start(&[&address]);
    terminal.until_typed("name:").await;
    terminal.press("\r").await;
    let mut server = terminal.during(Server::accept(&listener)).await;
    terminal.during(server.expect("\n")).await;
    terminal.until(|screen| screen.contains("as a guest")).await;
    terminal.press("/name ann\r").await;
    terminal.during(server.answer_bye()).await;
    let _server = welcome(&listener, &mut terminal).await;
}

#[tokio::test]
async fn a_dumb_terminal_is_used_like_a_pipe() {
    let (listener, address) = listen().await;
    let mut terminal = Terminal::spawn(Command::new(PROGRAM).args(["--name", "ann", &address]).env("TERM", "dumb"));
    let mut server = terminal.during(Server::accept(&listener)).await;
    terminal.during(server.welcome("ann")).await;
    terminal.press("hi\n").await;
    terminal.during(server.expect("MSG hi")).await;
    server.send_lines("OK\nFROM bob MSG hello").await;
    terminal.until(|screen| screen.contains("<bob> hello")).await;
    terminal.press("\x04").await;
    terminal.during(server.answer_bye()).await;
    assert_eq!(terminal.written(ESC), 0);
    assert_eq!(terminal.end().await, Some(0));
}
