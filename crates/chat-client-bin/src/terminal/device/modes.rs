//! Puts the terminal into raw mode, and restores it on every way out: at the end, before a stop, after a panic.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

/// Bracketed paste on, cursor hidden. The client shows a cursor of its own: see `area.rs`.
pub(crate) const ENTER: &str = "\u{1b}[?2004h\u{1b}[?25l";
/// Undoes [`ENTER`], and turns automatic wrapping on.
pub(crate) const LEAVE: &str = "\u{1b}[?7h\u{1b}[?2004l\u{1b}[?25h";

/// The modes to restore. `None`: the terminal is not in raw mode. A panic hook can reach only a static.
static BEFORE: Mutex<Option<system::Modes>> = Mutex::new(None);

/// Puts the terminal into raw mode. The caller writes [`ENTER`].
pub(crate) fn enter() -> io::Result<()> {
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    let current = system::enter()?;
    // In raw mode already: a shell may have changed the modes meanwhile, but those from before are the ones to restore.
    before.get_or_insert(current);
    Ok(())
}

/// Restores the modes from before [`enter`]. The caller writes [`LEAVE`]. Returns `false` if the terminal was not in raw
/// mode.
pub(crate) fn leave() -> bool {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = &before {
        // Fails if the terminal is gone: there is nothing to restore.
        let _ = system::restore(before);
    }
    before.is_some()
}

/// Whether the terminal is in raw mode. A panic of another thread ends that.
pub(crate) fn is_entered() -> bool {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// Makes each panic restore the terminal before it prints its message.
pub(crate) fn leave_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if leave() {
            // Clears the line being typed.
            let _ = write!(io::stdout(), "\r\u{1b}[J{LEAVE}").and_then(|()| io::stdout().flush());
        }
        report(panic);
    }));
}

#[cfg(unix)]
mod system {
    use std::io;

    use rustix::termios::{OptionalActions, OutputModes, Termios, tcgetattr, tcsetattr};

    pub(super) type Modes = Termios;

    pub(super) fn enter() -> io::Result<Modes> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        // Other programs may write to the same terminal, with LF alone.
        raw.output_modes |= OutputModes::OPOST;
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(before)
    }

    pub(super) fn restore(before: &Modes) -> io::Result<()> {
        Ok(tcsetattr(io::stdin(), OptionalActions::Now, before)?)
    }
}

#[cfg(windows)]
mod system {
    use std::io;

    use crossterm_winapi::{ConsoleMode, Handle};

    const PROCESSED_INPUT: u32 = 0x1;
    const LINE_INPUT: u32 = 0x2;
    const ECHO_INPUT: u32 = 0x4;
    const VIRTUAL_TERMINAL_INPUT: u32 = 0x200;
    const VIRTUAL_TERMINAL_OUTPUT: u32 = 0x4;

    /// The modes of the input and of the output.
    pub(super) type Modes = (u32, u32);

    fn consoles() -> io::Result<(ConsoleMode, ConsoleMode)> {
        Ok((Handle::current_in_handle()?.into(), Handle::current_out_handle()?.into()))
    }

    pub(super) fn enter() -> io::Result<Modes> {
        let (input, output) = consoles()?;
        let before = (input.mode()?, output.mode()?);
        input.set_mode(before.0 & !(PROCESSED_INPUT | LINE_INPUT | ECHO_INPUT) | VIRTUAL_TERMINAL_INPUT)?;
        output.set_mode(before.1 | VIRTUAL_TERMINAL_OUTPUT)?;
        Ok(before)
    }

    pub(super) fn restore(before: &Modes) -> io::Result<()> {
        let (input, output) = consoles()?;
        input.set_mode(before.0)?;
        output.set_mode(before.1)
    }
}

#[cfg(not(any(unix, windows)))]
mod system {
    use std::io;

    pub(super) type Modes = ();

    pub(super) fn enter() -> io::Result<Modes> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn restore((): &Modes) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::fd::AsFd;

    use rustix::termios::{LocalModes, tcgetattr};
    use tokio::io::AsyncReadExt;

    use super::*;

    const IS_CHILD: &str = "CHAT_CLIENT_TEST_PANICS";

    /// Does nothing, unless the other test runs it.
    #[test]
    fn child_that_panics_in_raw_mode() {
        if std::env::var_os(IS_CHILD).is_some() {
            leave_on_panic();
            enter().unwrap();
            panic!("as planned");
        }
    }

    #[tokio::test]
    async fn a_panic_restores_the_terminal_before_its_message() {
        let (mut pty, pts) = pty_process::open().unwrap();
        let command = pty_process::Command::new(std::env::current_exe().unwrap());
        let test = concat!(module_path!(), "::child_that_panics_in_raw_mode");
        let test = test.split_once("::").unwrap().1;
        let mut child = command.args(["--exact", test, "--nocapture"]).env(IS_CHILD, "1").spawn(pts).unwrap();
        let master = pty.as_fd().try_clone_to_owned().unwrap();
        let mut output = Vec::new();
        // A pseudo-terminal reports its end as an error.
        let _ = pty.read_to_end(&mut output).await;
        assert!(!child.wait().await.unwrap().success());
        let output = String::from_utf8(output).unwrap();
        let (_, message) = output.split_once(LEAVE).unwrap();
        assert!(message.contains("as planned"), "{output}");
        let modes = tcgetattr(&master).unwrap();
        assert!(modes.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON), "{modes:?}");
    }
}
