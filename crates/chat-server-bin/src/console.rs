//! Reads the operator's input, where `BYE` stops the server. Other input costs next to nothing, however much it is.

use std::{io, thread, time::Duration};

use tokio::sync::oneshot;
use tracing::warn;

use super::input::Input;

/// The most bytes of one read, and the pause after it: junk is read at 1.6 MB a second.
const MAX_READ_BYTES: usize = 16_384;
const PAUSE: Duration = Duration::from_millis(10);
/// A longer line does not come from an operator: reading ends.
const MAX_LINE_BYTES: usize = 1 << 20;
/// Bytes of a line that are stored: enough for `BYE` and some blanks.
const MAX_STORED_BYTES: usize = 64;

/// Resolves when `BYE` is typed, or to an error when reading ends without it. A server may have no input.
pub(super) fn bye() -> oneshot::Receiver<()> {
    let (typed, bye) = oneshot::channel();
    // A thread, because a blocking read cannot be cancelled. It ends with the process.
    thread::spawn(move || {
        if read_until_bye(&mut Input::stdin()) {
            // It fails only if the server stops already.
            let _ = typed.send(());
        }
    });
    bye
}

/// Reads up to `BYE` (`true`) or to the end of the input.
fn read_until_bye(input: &mut Input) -> bool {
    let mut bytes = vec![0; MAX_READ_BYTES];
    let mut lines = Lines::default();
    loop {
        match input.read(&mut bytes) {
            Ok(0) => return false,
            Ok(count) => match lines.take(&bytes[..count]) {
                Found::Bye => return true,
                Found::Nothing => {}
                Found::Junk => {
                    warn!(bytes = MAX_LINE_BYTES, "standard input is one endless line: it is no longer read");
                    return false;
                }
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                warn!(%error, "cannot read standard input: BYE has no effect there");
                return false;
            }
        }
        thread::sleep(PAUSE);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    Nothing,
    Bye,
    Junk,
}

/// The current line: its first bytes and its length.
#[derive(Default)]
struct Lines {
    stored: Vec<u8>,
    length: usize,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Found {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_STORED_BYTES - self.stored.len();
            self.stored.extend_from_slice(&piece[..piece.len().min(room)]);
            self.length += piece.len();
            if piece.ends_with(b"\n") {
                let is_bye = self.length <= MAX_STORED_BYTES && self.stored.trim_ascii() == b"BYE";
                *self = Self::default();
                if is_bye {
                    return Found::Bye;
                }
            } else if self.length > MAX_LINE_BYTES {
                return Found::Junk;
            }
        }
        Found::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bye_is_found_among_any_bytes_if_it_is_a_whole_line() {
        for (input, found) in [
            (b"BYE\n".as_slice(), Found::Bye),
            (b" BYE\r\n", Found::Bye),
            (b"caf\xe9\n\0\xff\nBYE\n", Found::Bye),
            (b"BYE", Found::Nothing),
            (b"bye\nBYE BYE\nGOODBYE\n", Found::Nothing),
        ] {
            assert_eq!(Lines::default().take(input), found, "{input:?}");
            let mut lines = Lines::default();
            let split: Vec<_> = input.iter().map(|byte| lines.take(&[*byte])).collect();
            assert_eq!(split.contains(&Found::Bye), found == Found::Bye, "{input:?}, byte by byte");
        }
    }

    #[test]
    fn an_endless_line_is_not_stored_and_ends_the_reading() {
        let mut lines = Lines::default();
        let found: Vec<_> = (0..65).map(|_| lines.take(&[0; MAX_READ_BYTES])).collect();
        assert!(found[..64].iter().all(|found| *found == Found::Nothing));
        assert_eq!(found[64], Found::Junk);
        assert!(lines.stored.capacity() <= 2 * MAX_STORED_BYTES);

        let mut lines = Lines::default();
        assert_eq!(lines.take(&[b' '; 1_000]), Found::Nothing);
        assert_eq!(lines.take(b"BYE\n"), Found::Nothing, "not all of the line");
        assert_eq!(lines.take(b"BYE\n"), Found::Bye, "the next one");
    }
}
