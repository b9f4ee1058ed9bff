//! Tests of drafts that take several rows. Messages above them are complete, and nothing remains of a sent draft.

use tokio::net::TcpStream;

use super::ann;
use crate::scripted_server::Server;

/// Sends numbered messages. Returns the rows that show them.
async fn burst(server: &mut Server<TcpStream>, count: usize) -> String {
    let lines: Vec<_> = (0..count).map(|number| format!("FROM bob MSG number {number}")).collect();
    server.send_lines(&lines.join("\n")).await;
    (0..count).flat_map(|number| ["<bob> number ".to_owned(), number.to_string(), "\n".to_owned()]).collect()
}

#[tokio::test]
async fn a_sent_draft_of_any_length_is_on_the_screen_once() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    // One column less than a row, exactly one row, one column more, several rows, and characters of several bytes.
    for (draft, key) in [
        ("q".repeat(76), ""),
        ("q".repeat(77), ""),
        ("q".repeat(77), "\x01"),
        ("q".repeat(78), ""),
        ("q".repeat(157), ""),
        ("q".repeat(300), "\x01"),
        ("é".repeat(77), ""),
        ("日".repeat(60), "\x01"),
    ] {
        let shown = draft.chars().next().unwrap();
        let count = |screen: &str| screen.chars().filter(|c| *c == shown).count();
        let all = draft.chars().count();
        let above = burst(&mut server, 1).await;
        terminal.press(&draft).await;
        terminal.until(|screen| count(screen) == all && screen.contains(&above)).await;
        terminal.press(&format!("{key}\r")).await;
        terminal.during(server.expect(&format!("MSG {draft}"))).await;
        server.send_lines("OK").await;
        let sent = format!("{above}<ann> ");
        let screen = terminal.until(|screen| screen.contains(&sent) && screen.ends_with(">>\n")).await;
        // On a busy machine, the message is also shown with a remark before its OK.
        let marked = screen.matches("[no OK yet]").count();
        assert_eq!(count(&screen), all * (1 + marked), "{screen}");
        terminal.press("\x0c").await;
        terminal.until(|screen| screen.trim() == ">>").await;
    }
}

#[tokio::test]
async fn a_burst_after_a_shortened_draft_is_complete() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    for draft in ["q".repeat(300), "é".repeat(200), "日".repeat(100)] {
        terminal.press(&draft).await;
        let all = draft.chars().count();
        terminal.until(|screen| screen.chars().filter(|c| draft.starts_with(*c)).count() == all).await;
        terminal.press(&"\x08".repeat(all - 3)).await;
        let lines = burst(&mut server, 15).await;
        let whole = format!("{lines}>> {}\n", draft.chars().take(3).collect::<String>());
        terminal.until(|screen| screen.ends_with(&whole)).await;
        terminal.press("\x03").await;
        terminal.until_typed(">>").await;
    }
}

#[tokio::test]
async fn messages_are_above_a_draft_at_any_cursor_position() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    for (draft, keys) in [("q".repeat(300), "\x01"), ("é".repeat(200), ""), ("é".repeat(200), "\x01")] {
        // The rows of the draft, without the line ends between them.
        let one_row = |screen: &str| screen.split_once(">> ").map(|(_, rows)| rows.replace('\n', ""));
        terminal.press(&format!("{draft}{keys}")).await;
        terminal.until(|screen| one_row(screen).as_ref() == Some(&draft)).await;
        let mut all = String::new();
        for _ in 0..3 {
            all += &burst(&mut server, 3).await;
            let above = format!("{all}>> {}", draft.chars().take(70).collect::<String>());
            terminal.until(|screen| screen.contains(&above) && one_row(screen).as_ref() == Some(&draft)).await;
        }
        terminal.press("\x05!\r").await;
        terminal.during(server.expect(&format!("MSG {draft}!"))).await;
        server.send_lines("OK").await;
        terminal.until_typed(">>").await;
    }
}

#[tokio::test]
async fn a_paste_is_one_draft_until_it_is_sent() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    terminal.press("\x1b[200~one\r\n\ttwo\nthree\x1b[201~").await;
    terminal.until(|screen| screen.ends_with(">> one\n    two\nthree\n")).await;
    let lines = burst(&mut server, 3).await;
    terminal.until(|screen| screen.ends_with(&format!("{lines}>> one\n    two\nthree\n"))).await;
    terminal.press("\r").await;
    terminal.during(server.expect("MSG one\nMSG \ttwo\nMSG three")).await;
    server.send_lines("OK\nOK\nOK").await;
    let sent = format!("{lines}<ann> one\n<ann>     two\n<ann> three\n>>\n");
    terminal.until(|screen| screen.ends_with(&sent)).await;
}

#[tokio::test]
async fn messages_are_shown_during_a_search() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    terminal.press("/name x\r").await;
    terminal.until(|screen| screen.contains("you already have the name ann")).await;
    terminal.press("\x12na").await;
    terminal.until_typed(">> (search: na) /name x").await;
    server.send_lines("FROM bob MSG hi").await;
    terminal.until(|screen| screen.ends_with("<bob> hi\n>> (search: na) /name x\n")).await;
    terminal.press("m").await;
    terminal.until_typed(">> (search: nam) /name x").await;
    terminal.press("\x03").await;
    terminal.until(|screen| screen.ends_with("<bob> hi\n>>\n")).await;
}
