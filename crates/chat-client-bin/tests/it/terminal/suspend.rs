//! Ctrl-Z, below a shell that takes the terminal and gives it back.

use pty_process::Command;

use super::{PROGRAM, Terminal, welcome};
use crate::scripted_server::listen;

/// Runs the program as a job; when it stops, shows how the terminal is, and waits for Enter.
const SHELL: &str = r#"set -m
"$0" "$@"
echo "stopped:" $(stty -a | tr ' ;' '\n\n' | grep -x -e '-*icanon' -e '-*echo' -e '-*icrnl')
read enter
fg > /dev/null
echo "ended: $?""#;

#[tokio::test]
async fn ctrl_z_gives_the_terminal_back_and_what_came_meanwhile_is_shown() {
    let (listener, address) = listen().await;
    let mut terminal =
        Terminal::of(Command::new("sh").args(["-c", SHELL, PROGRAM, "--name", "ann", &address]).env("TERM", "xterm"));
    let mut server = welcome(&listener, &mut terminal).await;
    terminal.press("my draft").await;
    terminal.until_typed(">> my draft").await;
    terminal.press("\x1a").await;
    let screen = terminal.until(|screen| screen.contains("stopped:")).await;
    let modes = screen.lines().find_map(|line| line.strip_prefix("stopped: ")).unwrap();
    let mut modes: Vec<_> = modes.split(' ').collect();
    modes.sort_unstable();
    assert_eq!(modes, ["echo", "icanon", "icrnl"], "{screen}");

    server.lines("FROM bob MSG while you were away\nPING").await;
    terminal.press("\r").await;
    terminal.until(|screen| screen.contains("<bob> while you were away\n>> my draft\n")).await;
    terminal.beside(server.expect("PONG")).await;
    // Raw again: it is the editor that sees each key.
    terminal.press("\x01oh, \x05!\r").await;
    terminal.beside(server.expect("MSG oh, my draft!")).await;
    server.lines("OK").await;
    terminal.until(|screen| screen.contains("<ann> oh, my draft!")).await;
    terminal.press("\x04").await;
    terminal.beside(server.part()).await;
    terminal.until(|screen| screen.contains("ended: 0")).await;
}
