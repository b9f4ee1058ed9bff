//! Nothing that a peer says, and nothing that is typed, breaks the screen. The strings are in `nasty.txt`.

use std::fmt::Write;

use pty_process::Size;

use super::{BELL, Terminal, ann};

const WIDTHS: [u16; 4] = [20, 50, 80, 200];

/// The strings of the corpus.
fn corpus() -> Vec<String> {
    let lines = include_str!("nasty.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| repeat(&unescape(line))).collect()
}

/// Replaces `\u{…}` and `\t`.
fn unescape(line: &str) -> String {
    let line = line.replace("\\t", "\t");
    let mut parts = line.split("\\u{");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('}').unwrap();
        text.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
        text.push_str(rest);
    }
    text
}

/// Replaces `{text*N}` by N times the text.
fn repeat(line: &str) -> String {
    let Some((before, (repeated, after))) =
        line.split_once('{').map(|(before, rest)| (before, rest.split_once('}').unwrap()))
    else {
        return line.to_owned();
    };
    let (text, count) = repeated.rsplit_once('*').unwrap();
    format!("{before}{}{after}", text.repeat(count.parse().unwrap()))
}

/// Whether a row is a later row of a line that the terminal has wrapped: a part of a URL. It contains neither a space
/// nor an angle bracket, so it cannot look like the head of a line.
fn is_part_of_url(row: &str) -> bool {
    row.chars().all(|c| c.is_ascii_graphic() && !"<>".contains(c))
}

#[track_caller]
fn assert_only_true_heads(screen: &str, text: &str) {
    for row in screen.lines().filter(|row| !row.is_empty()) {
        let is_head = ["<bob> ", "  ", ">> my draft", "the server s"].iter().any(|head| row.starts_with(head));
        assert!(is_head || row == "<bob>" || is_part_of_url(row), "{row:?} of {text:?} in\n{screen}");
    }
}

impl Terminal {
    fn resize(&mut self, columns: u16) {
        self.writer.resize(Size::new(24, columns)).unwrap();
        self.screen.screen_mut().set_size(24, columns);
    }
}

#[tokio::test]
async fn no_text_of_a_peer_looks_like_another_line_or_acts_on_the_terminal() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    terminal.press("my draft").await;
    terminal.until_typed(">> my draft").await;
    for columns in WIDTHS {
        terminal.resize(columns);
        // The size is known when a line is wrapped to it.
        let row = "w".repeat(usize::from(columns) - "<bob> ".len());
        server.send_lines(&format!("FROM bob MSG {row}")).await;
        terminal.until(|screen| screen.contains(&format!("<bob> {row}\n"))).await;
        for (number, text) in corpus().iter().enumerate() {
            terminal.press("\x0c").await;
            terminal.until(|screen| screen.trim() == ">> my draft").await;
            server.send_bytes(format!("FROM bob MSG {text}\r\nFROM bob MSG end {number}\r\n")).await;
            let end = format!("<bob> end {number}\n>> my draft\n");
            let screen = terminal.until(|screen| screen.ends_with(&end)).await;
            assert_only_true_heads(&screen, text);
            assert!(screen.lines().count() >= 3, "{text:?} is shown: {screen}");
        }
    }
    let screen = terminal.screen.screen();
    assert!(screen.bracketed_paste() && screen.hide_cursor() && !screen.alternate_screen());
    assert_eq!(terminal.written(BELL), 0);
}

#[tokio::test]
async fn no_draft_hides_a_line_above_it() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    for columns in WIDTHS {
        terminal.resize(columns);
        for text in corpus() {
            terminal.press("\x0c").await;
            terminal.until(|screen| screen.trim() == ">>").await;
            let typed: String = text.chars().filter(|c| !c.is_control()).take(150).collect();
            let mut above = String::new();
            for number in 0..3 {
                server.send_lines(&format!("FROM bob MSG number {number}")).await;
                writeln!(above, "<bob> number {number}").unwrap();
                if number == 0 {
                    terminal.until(|screen| screen.contains(&above)).await;
                    terminal.press(&typed).await;
                }
                let whole = format!("{above}>>");
                terminal.until(|screen| screen.contains(&whole)).await;
            }
            terminal.press("\x01\x0b").await;
            terminal.until(|screen| screen.ends_with(&format!("{above}>>\n"))).await;
        }
    }
}

/// The size changes in the middle of a flood. Every line is there once, and nothing remains of the draft.
#[tokio::test]
async fn resizes_during_a_flood_lose_nothing() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    let draft = "خانواده می\u{200c}رود \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} and so on, over more than one row";
    terminal.press(draft).await;
    let mut sent = 0;
    for round in 0..40 {
        let columns = [200, 20, 133, 40, 80][round % 5];
        terminal.writer.resize(Size::new(24, columns)).unwrap();
        // The program may paint before it knows the new size, and after it.
        let lines: Vec<_> = (sent..sent + 12).map(|number| format!("FROM bob MSG n{number}")).collect();
        server.send_lines(&lines.join("\n")).await;
        sent += 12;
        let last = format!("<bob> n{}", sent - 1);
        terminal.until(|screen| screen.contains(&last)).await;
        terminal.screen.screen_mut().set_size(24, columns);
    }
    terminal.screen.screen_mut().set_size(24, 80);
    terminal.writer.resize(Size::new(24, 80)).unwrap();
    terminal.press("\x01\x0b").await;
    let screen = terminal.until(|screen| screen.ends_with(&format!("<bob> n{}\n>>\n", sent - 1))).await;
    let shown: Vec<_> = screen.lines().filter(|row| row.starts_with("<bob> n")).map(str::trim_end).collect();
    let all: Vec<_> = (sent - shown.len()..sent).map(|number| format!("<bob> n{number}")).collect();
    assert_eq!(shown, all);
    assert_eq!(screen.matches(">>").count(), 1, "{screen}");
}
