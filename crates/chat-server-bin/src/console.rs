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
                Heard::Bye => return true,
                Heard::Nothing => {}
                Heard::Junk => {
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
enum Heard {
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
    fn take(&mut self, bytes: &[u8]) -> Heard {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_STORED_BYTES - self.stored.len();
            self.stored.extend_from_slice(&piece[..piece.len().min(room)]);
            self.length += piece.len();
            if piece.ends_with(b"\n") {
                let is_bye = self.length <= MAX_STORED_BYTES && self.stored.trim_ascii() == b"BYE";
                *self = Self::default();
                if is_bye {
                    return Heard::Bye;
                }
            } else if self.length > MAX_LINE_BYTES {
                return Heard::Junk;
            }
        }
        Heard::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bye_is_found_among_any_bytes_if_it_is_a_whole_line() {
        for (input, heard) in [
            (b"BYE\n".as_slice(), Heard::Bye),
            (b" BYE\r\n", Heard::Bye),
            (b"caf\xe9\n\0\xff\nBYE\n", Heard::Bye),
            (b"BYE", Heard::Nothing),
            (b"bye\nBYE BYE\nGOODBYE\n", Heard::Nothing),
        ] {
            assert_eq!(Lines::default().take(input), heard, "{input:?}");
            let mut lines = Lines::default();
            let split: Vec<_> = input.iter().map(|byte| lines.take(&[*byte])).collect();
            assert_eq!(split.contains(&Heard::Bye), heard == Heard::Bye, "{input:?}, byte by byte");
        }
    }

    #[test]
    fn an_endless_line_is_not_stored_and_ends_the_reading() {
        let mut lines = Lines::default();
        let heard: Vec<_> = (0..65).map(|_| lines.take(&[0; MAX_READ_BYTES])).collect();
        assert!(heard[..64].iter().all(|heard| *heard == Heard::Nothing));
        assert_eq!(heard[64], Heard::Junk);
        assert!(lines.stored.capacity() <= 2 * MAX_STORED_BYTES);

        let mut lines = Lines::default();
        assert_eq!(lines.take(&[b' '; 1_000]), Heard::Nothing);
        assert_eq!(lines.take(b"BYE\n"), Heard::Nothing, "not all of the line");
        assert_eq!(lines.take(b"BYE\n"), Heard::Bye, "the next one");
    }
}
