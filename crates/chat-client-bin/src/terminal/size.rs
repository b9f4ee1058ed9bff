//! Reads the size of the terminal. It may change at any time, so it is not cached.

/// Rows and columns if the terminal does not report its size.
const DEFAULT_SIZE: (u16, u16) = (24, 80);

pub(super) fn rows() -> u16 {
    size().0
}

pub(super) fn columns() -> usize {
    usize::from(size().1)
}

fn size() -> (u16, u16) {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout())
        && size.ws_col > 0
        && size.ws_row > 0
    {
        return (size.ws_row, size.ws_col);
    }
    DEFAULT_SIZE
}
