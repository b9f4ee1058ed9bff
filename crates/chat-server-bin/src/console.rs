//! Waits for `BYE` on standard input, which stops the server. The cost of other input is bounded.

use std::{io, thread, time::Duration};

use tokio::sync::oneshot;
use tracing::warn;

use super::input::Input;

/// Maximum number of bytes per read.
const MAX_READ_BYTES: usize = 16_384;
/// Pause after each read. It limits the input to 1.6 MB per second.
const PAUSE: Duration = Duration::from_millis(10);
/// Maximum length of a line. Nobody types a longer line, so the server then stops reading.
const MAX_LINE_BYTES: usize = 1 << 20;
/// Maximum number of stored bytes of a line: enough for `BYE` and some spaces.
const MAX_STORED_BYTES: usize = 64;

/// Starts to read standard input. The receiver resolves when `BYE` is typed, or to an error when the input ends.
pub(super) fn read_bye() -> oneshot::Receiver<()> {
    let (typed, bye) = oneshot::channel();
    // A blocking read cannot be cancelled, so it needs a thread. The thread ends with the process.
    thread::spawn(move || {
        if read_until_bye(&mut Input::stdin()) {
            // Fails only if the server is already stopping.
            let _ = typed.send(());
        }
    });
    bye
}

/// Reads until `BYE` or the end of the input. Returns whether it found `BYE`.
fn read_until_bye(input: &mut Input) -> bool {
    let mut bytes = vec![0; MAX_READ_BYTES];
    let mut scanner = Scanner::default();
    loop {
        match input.read(&mut bytes) {
            Ok(0) => return false,
            Ok(count) => match scanner.scan(&bytes[..count]) {
                Found::Bye => return true,
                Found::Nothing => {}
                Found::EndlessLine => {
                    warn!(bytes = MAX_LINE_BYTES, "standard input has an endless line: stopped reading it");
                    return false;
                }
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                warn!(%error, "cannot read standard input: typing BYE has no effect");
                return false;
            }
        }
        thread::sleep(PAUSE);
    }
}

/// The result of a scan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    Nothing,
    Bye,
    EndlessLine,
}

/// Looks for `BYE` in the input.
#[derive(Default)]
struct Scanner {
    /// The first bytes of the current line.
    stored: Vec<u8>,
    /// Length of the current line so far, in bytes.
    length: usize,
}

impl Scanner {
    fn scan(&mut self, bytes: &[u8]) -> Found {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let free = MAX_STORED_BYTES - self.stored.len();
            self.stored.extend_from_slice(&piece[..piece.len().min(free)]);
            self.length += piece.len();
            if piece.ends_with(b"\n") {
                let is_bye = self.length <= MAX_STORED_BYTES && self.stored.trim_ascii() == b"BYE";
                *self = Self::default();
                if is_bye {
                    return Found::Bye;
                }
            } else if self.length > MAX_LINE_BYTES {
                return Found::EndlessLine;
            }
        }
        Found::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bye_is_found_only_as_a_whole_line() {
        for (input, found) in [
            (b"BYE\n".as_slice(), Found::Bye),
            (b" BYE\r\n", Found::Bye),
            (b"caf\xe9\n\0\xff\nBYE\n", Found::Bye),
            (b"BYE", Found::Nothing),
            (b"bye\nBYE BYE\nGOODBYE\n", Found::Nothing),
        ] {
            assert_eq!(Scanner::default().scan(input), found, "{input:?}");
            let mut scanner = Scanner::default();
            let split: Vec<_> = input.iter().map(|byte| scanner.scan(&[*byte])).collect();
            assert_eq!(split.contains(&Found::Bye), found == Found::Bye, "{input:?}, byte by byte");
        }
    }

    #[test]
    fn an_endless_line_is_detected_without_storing_it() {
        let mut scanner = Scanner::default();
        let found: Vec<_> = (0..65).map(|_| scanner.scan(&[0; MAX_READ_BYTES])).collect();
        assert!(found[..64].iter().all(|found| *found == Found::Nothing));
        assert_eq!(found[64], Found::EndlessLine);
        assert!(scanner.stored.capacity() <= 2 * MAX_STORED_BYTES);

        let mut scanner = Scanner::default();
        assert_eq!(scanner.scan(&[b' '; 1_000]), Found::Nothing);
        assert_eq!(scanner.scan(b"BYE\n"), Found::Nothing, "only the end of the line is BYE");
        assert_eq!(scanner.scan(b"BYE\n"), Found::Bye, "the next line is BYE");
    }
}
