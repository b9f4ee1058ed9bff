//! Checks the session in the README of the program against the screen.

use pty_process::Size;

use super::Terminal;
use crate::{
    readme_program::block,
    scripted_server::{Server, listen},
};

#[tokio::test]
async fn carol_sees_what_the_readme_shows() {
    let (listener, address) = listen().await;
    let mut carol = Terminal::start(&["--name", "carol", "--time", "%H:%M", &address]);
    // Wide enough for every line.
    carol.writer.resize(Size::new(24, 120)).unwrap();
    carol.screen.screen_mut().set_size(24, 120);
    let serve = async |names: &str| {
        let mut server = Server::accept(&listener).await;
        server.welcome("carol").await;
        server.expect("REQ CLIENTS").await;
        server.send_lines(&format!("LIST CLIENTS 3 {names}")).await;
        server
    };
    let mut server = carol.during(serve("ann bob carol")).await;
    server.send_lines("FROM ann MSG good morning, carol and bob\nFROM bob MSG ann: tea?").await;
    carol.until(|screen| screen.contains("tea?")).await;
    server.send_lines("BYE").await;
    drop(server);
    // The first attempt fails.
    drop(carol.during(Server::accept(&listener)).await);
    carol.until_typed("..").await;
    let mut server = carol.during(serve("bob ann carol")).await;
    carol.until(|screen| screen.contains("bob ann carol")).await;
    carol.press("for me too, please\r").await;
    carol.during(server.expect("MSG for me too, please")).await;
    server.send_lines("OK").await;
    carol.until(|screen| screen.contains("<carol>")).await;
    server.send_lines("LOGOUT bob").await;
    carol.until(|screen| screen.contains("bob left")).await;
    let screen = carol.until_typed(">>").await;
    assert_eq!(normalized(&screen, &address), normalized(block("text"), &address));
}

/// Removes what differs between runs: the address, the time of each line and those within, and the error.
fn normalized(screen: &str, address: &str) -> Vec<String> {
    // The conversation is at the bottom of the screen.
    let screen = screen.trim().replace(address, "localhost:2222");
    let lines = screen.lines().map(|line| {
        let (time, line) = line.split_once(' ').unwrap_or(("", line));
        let is_time = time.len() == 5 && time.split(':').all(|part| part.parse::<u8>().is_ok());
        assert!(is_time || time.is_empty(), "{time} {line}");
        let line = without(line, "reconnected after ", " s;");
        let line = without(&line, "cannot reconnect: ", ";");
        without(&line, "next attempt in ", " s,").trim_end().to_owned()
    });
    lines.collect()
}

/// Removes the text between these two parts.
fn without(line: &str, before: &str, after: &str) -> String {
    let Some((start, rest)) = line.split_once(before) else { return line.to_owned() };
    format!("{start}{before}{after}{}", rest.split_once(after).unwrap().1)
}
