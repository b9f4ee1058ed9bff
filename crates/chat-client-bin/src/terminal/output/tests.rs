//! Tests of the lines that are shown and logged.

use std::cell::Cell;

use clap::Parser;
use tokio::time::advance;

use super::*;

thread_local! {
    /// Minutes since 23:58.
    static MINUTES: Cell<i64> = const { Cell::new(0) };
}

fn clock() -> Zoned {
    let start: Zoned = "2026-11-25T23:58[UTC]".parse().unwrap();
    start + jiff::SignedDuration::from_mins(MINUTES.get())
}

/// What is shown with these arguments.
fn output(args: &[&str]) -> Output {
    let args = Args::parse_from([&["chat-client", "--name", "ann"], args].concat());
    Output { clock, ..Output::new(&args, Screen::start(false).unwrap(), None) }
}

async fn pass_minutes(minutes: u32) {
    advance(Duration::from_secs(60) * minutes).await;
    MINUTES.set(MINUTES.get() + i64::from(minutes));
}

fn say(output: &mut Output, text: &str) {
    output.show_event(&Event::message("bob".parse().unwrap(), text.parse().unwrap()), output.name);
}

#[tokio::test(start_paused = true)]
async fn lines_stand_where_the_day_changes_and_where_unread_messages_begin() {
    let mut output = output(&[]);
    say(&mut output, "one");
    pass_minutes(2).await;
    say(&mut output, "two");
    pass_minutes(1).await;
    say(&mut output, "three");
    output.note("a note");
    say(&mut output, "four");
    output.on_key();
    say(&mut output, "five");
    let expected = [
        "23:58 <bob> one",
        "---- Thursday, 26 November 2026 ----",
        "00:00 <bob> two",
        "---- unread ----",
        "00:01 <bob> three",
        "00:01 a note",
        "00:01 <bob> four",
        "00:01 <bob> five",
    ];
    assert_eq!(output.screen.take_waiting(80), expected);
}

#[tokio::test(start_paused = true)]
async fn joins_and_leaves_are_shown_together_before_what_came_after_them() {
    let mut output = output(&["--time", ""]);
    let name = |name: &str| name.parse::<Name>().unwrap();
    output.show_event(&Event::joined(name("al")), None);
    output.show_event(&Event::left(name("cy")), None);
    output.show_overdue();
    assert_eq!(output.screen.take_waiting(80), [""; 0]);
    say(&mut output, "hi");
    output.show_event(&Event::joined(name("dan")), None);
    advance(GATHER_TIME).await;
    output.show_overdue();
    assert_eq!(output.screen.take_waiting(80), ["* al joined; cy left", "<bob> hi", "* dan joined"]);
}

#[tokio::test(start_paused = true)]
async fn the_log_has_each_join_and_leave_in_its_order() {
    let path = std::env::temp_dir().join(format!("chat-client-{}-joins-log", std::process::id()));
    let mut output = Output { log: Some(LogFile::open(&path).unwrap()), ..output(&["--time", ""]) };
    let carl: Name = "carl".parse().unwrap();
    output.show_event(&Event::left(carl), None);
    output.show_event(&Event::joined(carl), None);
    say(&mut output, "hi");
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    // Without date and time.
    let logged: Vec<_> = log.lines().map(|line| &line["2026-11-25 23:58:00 ".len()..]).collect();
    assert_eq!(logged, ["* carl left", "* carl joined", "<bob> hi"]);
    assert_eq!(output.screen.take_waiting(80), ["* carl left and came back", "<bob> hi"]);
}
