//! Tests of Ctrl-Z in a shell with job control.

use pty_process::Command;

use super::{PROGRAM, Terminal, welcome};
use crate::scripted_server::listen;

/// Runs the program as a job. When the job stops, prints the modes of the terminal and waits for Enter.
pub(super) const SHELL: &str = r#"set -m
"$0" "$@"
echo "stopped:" $(stty -a | tr ' ;' '\n\n' | grep -x -e '-*icanon' -e '-*echo' -e '-*icrnl')
read enter
fg > /dev/null
echo "ended: $?""#;
/// Continues the job in the background first. There it stops again, because it uses the terminal.
const SHELL_WITH_BG: &str = r#"set -m
"$0" "$@"
job=$(jobs -p)
bg > /dev/null
until ps -o stat= -p $job | grep -q T; do :; done
echo "stopped again"
read enter
fg > /dev/null
echo "ended: $?""#;

#[tokio::test]
async fn ctrl_z_restores_the_terminal_and_later_messages_are_shown() {
    let (listener, address) = listen().await;
    let mut terminal = Terminal::spawn(
        Command::new("sh").args(["-c", SHELL, PROGRAM, "--name", "ann", &address]).env("TERM", "xterm"),
    );
    let mut server = welcome(&listener, &mut terminal).await;
    terminal.press("my draft").await;
    terminal.until_typed(">> my draft").await;
    terminal.press("\x1a").await;
    let screen = terminal.until(|screen| screen.contains("stopped:")).await;
    let modes = screen.lines().find_map(|line| line.strip_prefix("stopped: ")).unwrap();
    let mut modes: Vec<_> = modes.split(' ').collect();
    modes.sort_unstable();
    assert_eq!(modes, ["echo", "icanon", "icrnl"], "{screen}");

    server.send_lines("FROM bob MSG while you were away\nPING").await;
    terminal.press("\r").await;
    terminal.until(|screen| screen.contains("<bob> while you were away\n>> my draft\n")).await;
    terminal.during(server.expect("PONG")).await;
    // Raw mode again: the editor gets each key.
    terminal.press("\x01oh, \x05!\r").await;
    terminal.during(server.expect("MSG oh, my draft!")).await;
    server.send_lines("OK").await;
    terminal.until(|screen| screen.contains("<ann> oh, my draft!")).await;
    terminal.press("\x04").await;
    terminal.during(server.answer_bye()).await;
    terminal.until(|screen| screen.contains("ended: 0")).await;
}

#[tokio::test]
async fn a_job_that_was_in_the_background_returns() {
    let (listener, address) = listen().await;
    let command = Command::new("bash").args(["-c", SHELL_WITH_BG, PROGRAM, "--name", "ann", &address]);
    let mut terminal = Terminal::spawn(command.env("TERM", "xterm"));
    let mut server = welcome(&listener, &mut terminal).await;
    terminal.press("my draft").await;
    terminal.until_typed(">> my draft").await;
    terminal.press("\x1a").await;
    terminal.until(|screen| screen.contains("stopped again")).await;
    server.send_lines("FROM bob MSG while you were away").await;
    terminal.press("\r").await;
    terminal.until(|screen| screen.contains("<bob> while you were away\n>> my draft\n")).await;
    terminal.press("\x03\x04").await;
    terminal.during(server.answer_bye()).await;
    terminal.until(|screen| screen.contains("ended: 0")).await;
}
