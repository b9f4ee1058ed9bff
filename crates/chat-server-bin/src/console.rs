//! The operator's input, where `BYE` stops the server. Whatever else comes, and however much, costs next to nothing.

use std::{io, thread, time::Duration};

use tokio::sync::oneshot;
use tracing::warn;

use super::input::Input;

/// What is read at once, and the pause after it: a stream of junk is read at 1.6 MB a second.
const AT_ONCE: usize = 16_384;
const PAUSE: Duration = Duration::from_millis(10);
/// Bytes without the end of a line after which this is no operator's input.
const MOST_OF_A_LINE: usize = 1 << 20;
/// Bytes of a line that are kept: `BYE` and some blanks.
const KEPT: usize = 64;

/// Resolves when `BYE` is typed; to an error if it never will. A server may well have no input.
pub(super) fn bye() -> oneshot::Receiver<()> {
    let (typed, bye) = oneshot::channel();
    // A thread, because reading cannot be given up; it ends with the process.
    thread::spawn(move || {
        if is_told_to_stop(&mut Input::stdin()) {
            // An error says that the server stops already.
            let _ = typed.send(());
        }
    });
    bye
}

/// Reads to the end of the input, or to `BYE`.
fn is_told_to_stop(input: &mut Input) -> bool {
    let mut bytes = vec![0; AT_ONCE];
    let mut lines = Lines::default();
    loop {
        match input.read(&mut bytes) {
            Ok(0) => return false,
            Ok(count) => match lines.take(&bytes[..count]) {
                Heard::Bye => return true,
                Heard::Nothing => {}
                Heard::Junk => {
                    warn!(bytes = MOST_OF_A_LINE, "standard input is one endless line: it is not read any more");
                    return false;
                }
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                warn!(%error, "cannot read standard input: BYE is not heard there");
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

/// The line that is being read: its beginning, and how long it is.
#[derive(Default)]
struct Lines {
    kept: Vec<u8>,
    length: usize,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Heard {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = KEPT - self.kept.len();
            self.kept.extend_from_slice(&piece[..piece.len().min(room)]);
            self.length += piece.len();
            if piece.ends_with(b"\n") {
                let is_bye = self.length <= KEPT && self.kept.trim_ascii() == b"BYE";
                *self = Self::default();
                if is_bye {
                    return Heard::Bye;
                }
            } else if self.length > MOST_OF_A_LINE {
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
    fn bye_is_a_line_of_its_own_among_whatever_bytes() {
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
    fn an_endless_line_is_not_kept_and_given_up() {
        let mut lines = Lines::default();
        let heard: Vec<_> = (0..65).map(|_| lines.take(&[0; AT_ONCE])).collect();
        assert!(heard[..64].iter().all(|heard| *heard == Heard::Nothing));
        assert_eq!(heard[64], Heard::Junk);
        assert!(lines.kept.capacity() <= 2 * KEPT);

        let mut lines = Lines::default();
        assert_eq!(lines.take(&[b' '; 1_000]), Heard::Nothing);
        assert_eq!(lines.take(b"BYE\n"), Heard::Nothing, "not all of the line");
        assert_eq!(lines.take(b"BYE\n"), Heard::Bye, "the next one");
    }
}
