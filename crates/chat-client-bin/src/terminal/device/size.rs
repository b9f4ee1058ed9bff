//! Reads the size of the terminal. It may change at any time, so it is not cached.

/// Rows and columns if the terminal does not report its size.
const DEFAULT_SIZE: (usize, usize) = (24, 80);

/// The rows and columns of the terminal.
pub(crate) fn size() -> (usize, usize) {
    reported_size().filter(|(rows, columns)| *rows > 0 && *columns > 0).unwrap_or(DEFAULT_SIZE)
}

#[cfg(unix)]
fn reported_size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some((size.ws_row.into(), size.ws_col.into()))
}

#[cfg(windows)]
fn reported_size() -> Option<(usize, usize)> {
    let window = crossterm_winapi::ScreenBuffer::current().ok()?.info().ok()?.terminal_window();
    let length = |from: i16, to: i16| usize::try_from(i32::from(to) - i32::from(from) + 1).ok();
    Some((length(window.top, window.bottom)?, length(window.left, window.right)?))
}

#[cfg(not(any(unix, windows)))]
fn reported_size() -> Option<(usize, usize)> {
    None
}
