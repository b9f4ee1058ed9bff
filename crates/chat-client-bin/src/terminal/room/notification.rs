//! Desktop notifications, which a terminal shows when it gets a certain sequence.

use chat_client::Name;
use unicode_segmentation::UnicodeSegmentation;

use crate::terminal::shown::visible;
use crate::terminal_args::Notify;

/// Maximum number of characters of a notification.
const MAX_CHARACTERS: usize = 120;

/// The sequence for a message that mentions this client. Empty if there are no notifications. tmux passes the sequence
/// on to the terminal only in an envelope.
pub(crate) fn notification(notify: Notify, from: Name, text: &str, is_in_tmux: bool) -> String {
    // The text has no control characters. A semicolon would start another part of the sequence.
    let text: String = visible(text).replace(';', ",").graphemes(true).take(MAX_CHARACTERS).collect();
    let sequence = match notify {
        Notify::Never => return String::new(),
        Notify::Osc9 => format!("\u{1b}]9;{from}: {text}\u{7}"),
        Notify::Osc777 => format!("\u{1b}]777;notify;{from};{text}\u{7}"),
    };
    if is_in_tmux { format!("\u{1b}Ptmux;{}\u{1b}\\", sequence.replace('\u{1b}', "\u{1b}\u{1b}")) } else { sequence }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_contains_no_sequence_of_the_peer() {
        let bob = "bob".parse().unwrap();
        let text = "hi;\u{7}\u{1b}]0;x ann";
        assert_eq!(notification(Notify::Never, bob, text, false), "");
        assert_eq!(notification(Notify::Osc9, bob, text, false), "\u{1b}]9;bob: hi,\\u{7}\\u{1b}]0,x ann\u{7}");
        assert_eq!(notification(Notify::Osc777, bob, "hi", false), "\u{1b}]777;notify;bob;hi\u{7}");
        assert_eq!(notification(Notify::Osc9, bob, "hi", true), "\u{1b}Ptmux;\u{1b}\u{1b}]9;bob: hi\u{7}\u{1b}\\");
        assert_eq!(notification(Notify::Osc9, bob, &"x".repeat(2_000), false).len(), 120 + 10);
    }
}
