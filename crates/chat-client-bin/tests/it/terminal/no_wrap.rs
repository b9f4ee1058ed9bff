//! The mode of a terminal in which a row is cut off at its end, and not wrapped. `vt100` does not have it.

use unicode_width::UnicodeWidthChar;

const NO_WRAP: &[u8] = b"\x1b[?7l";
const WRAP: &[u8] = b"\x1b[?7h";

/// Shows characters and sequences on a screen, unless they are cut off.
#[derive(Default)]
pub(super) struct NoWrap {
    is_on: bool,
    /// The bytes of a character or of a sequence, until it is complete.
    unit: Vec<u8>,
}

impl NoWrap {
    pub(super) fn show(&mut self, bytes: &[u8], screen: &mut vt100::Parser) {
        for byte in bytes {
            self.unit.push(*byte);
            let is_complete = match self.unit[0] {
                0x1b => self.unit.len() > 2 && (0x40..0x7f).contains(byte),
                _ => std::str::from_utf8(&self.unit).is_ok(),
            };
            if !is_complete {
                continue;
            }
            if !self.is_cut_off(screen.screen()) {
                screen.process(&self.unit);
            }
            self.is_on = self.unit == NO_WRAP || (self.is_on && self.unit != WRAP);
            self.unit.clear();
        }
    }

    /// Whether a character is beyond the end of its row.
    fn is_cut_off(&self, screen: &vt100::Screen) -> bool {
        let c = std::str::from_utf8(&self.unit).ok().and_then(|unit| unit.chars().next());
        let width = c.and_then(UnicodeWidthChar::width).unwrap_or(0);
        let (_, column) = screen.cursor_position();
        self.is_on && width > 0 && usize::from(column) + width > usize::from(screen.size().1)
    }
}
