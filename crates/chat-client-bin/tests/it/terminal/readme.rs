//! Checks the session in the README of the program against the screen.

use super::Terminal;
use crate::{
    readme_program::block,
    scripted_server::{Server, listen},
};

#[tokio::test]
async fn carol_sees_what_the_readme_shows() {
    let (listener, address) = listen().await;
    let mut carol = Terminal::start(&["--name", "carol", &address]);
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
    drop(server);
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

/// Removes what differs between runs: the address, and the time without a connection.
fn normalized(screen: &str, address: &str) -> Vec<String> {
    // The conversation is at the bottom of the screen.
    let screen = screen.trim().replace(address, "localhost:2222");
    let lines = screen.lines().map(|line| match line.split_once("reconnected after ") {
        Some((before, after)) => format!("{before}reconnected after {}", after.split_once(" s;").unwrap().1),
        None => line.trim_end().to_owned(),
    });
    lines.collect()
}
