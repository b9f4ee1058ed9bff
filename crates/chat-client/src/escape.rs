//! Escapes text from the network, so that a terminal can show it safely (clause 7.3).

use std::{borrow::Cow, fmt::Write};

/// Replaces each character that controls a terminal or hides text by `\u{…}`.
///
/// These are control characters except TAB, line separators, bidirectional marks, embeddings, overrides and isolates,
/// zero-width characters, fillers that look like a space, tags and annotation marks.
///
/// Some of them are text in certain places, and are kept there: joiners between letters of scripts that need them
/// (Persian, Hindi) and between emoji, variation selectors after an emoji or an ideograph, and the tags of a flag.
///
/// ```
/// use chat_client::escape;
///
/// assert_eq!(escape("caf\u{e9} \u{1b}[2J"), "caf\u{e9} \\u{1b}[2J");
/// assert_eq!(escape("\u{202e}nimda"), "\\u{202e}nimda");
/// assert_eq!(escape("x\u{200d}y \u{1f469}\u{200d}\u{1f4bb}"), "x\\u{200d}y \u{1f469}\u{200d}\u{1f4bb}");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_suspect) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut base = None;
    for (at, c) in text.char_indices() {
        if is_suspect(c) && !belongs_to(base, c, &text[at + c.len_utf8()..]) {
            write!(escaped, "\\u{{{:x}}}", u32::from(c)).expect("a string grows");
            base = None;
            continue;
        }
        escaped.push(c);
        // A variation selector, a skin tone or a tag changes the character before it. It is no base of its own.
        if !is_variation_selector(c) && !is_skin_tone(c) && !is_tag(c) {
            base = Some(c);
        }
    }
    Cow::Owned(escaped)
}

/// Whether a character controls a terminal or hides text, at least in some places.
fn is_suspect(c: char) -> bool {
    let hides = matches!(c,
        // Soft hyphen, grapheme joiner, Arabic letter mark, Khmer vowels that are not shown, Mongolian selectors.
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        // Fillers that look like a space: Hangul, Braille.
        | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        // Zero-width characters and direction marks; separators, embeddings, overrides; joiners, isolates, deprecated
        // controls.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // Byte order mark, annotations, and what is reserved for more of them.
        | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        // Controls of hieroglyphs, shorthand and musical notation; tags, and what is reserved for more of them.
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}'
        | '\u{e01f0}'..='\u{e0fff}');
    hides || is_variation_selector(c) || (c.is_control() && c != '\t')
}

/// Whether `c` is text between `base`, the visible character before it, and `rest`.
fn belongs_to(base: Option<char>, c: char, rest: &str) -> bool {
    let Some(base) = base else { return false };
    let next = rest.chars().next();
    match c {
        '\u{200c}' => is_joined_script(base) && next.is_some_and(is_joined_script),
        '\u{200d}' => {
            (is_joined_script(base) && next.is_some_and(is_joined_script))
                || (is_pictograph(base) && next.is_some_and(is_pictograph))
        }
        // The same character as text or as an emoji. A digit becomes a keycap.
        '\u{fe0e}' | '\u{fe0f}' => is_pictograph(base) || (is_keycap(base) && next == Some('\u{20e3}')),
        '\u{fe00}'..='\u{fe02}' | '\u{e0100}'..='\u{e01ef}' => is_ideograph(base),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(base, '\u{1820}'..='\u{18aa}'),
        // The flag of a region: a black flag, the tags of its code, and the tag that ends it.
        _ if is_tag(c) => {
            let end = if c == '\u{e007f}' {
                Some(c)
            } else {
                rest.chars().find(|next| !is_tag(*next) || *next == '\u{e007f}')
            };
            base == '\u{1f3f4}' && end == Some('\u{e007f}')
        }
        _ => false,
    }
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// A tag that occurs in flags: a letter, a digit, or the end.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}' | '\u{e007f}')
}

fn is_keycap(c: char) -> bool {
    matches!(c, '0'..='9' | '#' | '*')
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{27ff}'
        | '\u{2900}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Letters and marks of scripts in which joiners change how words look: Arabic and its neighbours, the scripts of
/// South and Southeast Asia, Mongolian.
fn is_joined_script(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{109f}' | '\u{1780}'..='\u{18af}' | '\u{1900}'..='\u{1cff}' | '\u{a800}'..='\u{abff}'
        | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
        && !is_suspect(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_are_escaped() {
        let worst = [
            ("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\r\u{8}b\n", "a\\u{d}\\u{8}b\\u{a}"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("bo\u{200b}b\u{feff}", "bo\\u{200b}b\\u{feff}"),
            ("\u{61c}\u{200e}\u{200f}\u{2028}", "\\u{61c}\\u{200e}\\u{200f}\\u{2028}"),
            ("\u{e0041}", "\\u{e0041}"),
            // What looks like nothing or like a space.
            ("x\u{3164}y\u{2800}z", "x\\u{3164}y\\u{2800}z"),
            ("\u{115f}\u{1160}\u{ffa0}\u{34f}", "\\u{115f}\\u{1160}\\u{ffa0}\\u{34f}"),
            ("z\u{fe0f}1\u{fe0f}", "z\\u{fe0f}1\\u{fe0f}"),
            ("bo\u{200d}b\u{200c}", "bo\\u{200d}b\\u{200c}"),
            // Joiners at an end, or more than one.
            ("\u{645}\u{200c}", "\u{645}\\u{200c}"),
            ("\u{645}\u{200c}\u{200c}\u{62e}", "\u{645}\\u{200c}\\u{200c}\u{62e}"),
            ("\u{1f469}\u{200d}x", "\u{1f469}\\u{200d}x"),
            // Tags without their flag, and without their end.
            ("\u{1f469}\u{e0067}\u{e007f}", "\u{1f469}\\u{e0067}\\u{e007f}"),
            ("\u{1f3f4}\u{e0067}\u{e0062}", "\u{1f3f4}\\u{e0067}\\u{e0062}"),
        ];
        for (text, shown) in worst {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn usual_text_is_not_changed() {
        for text in ["", "a\tb", "naïve café", "日本語", "שלום", "\u{1f642} c:\\dir \\u{1b}"] {
            assert!(matches!(escape(text), Cow::Borrowed(shown) if shown == text));
        }
    }

    #[test]
    fn joiners_and_selectors_that_are_text_are_kept() {
        for text in [
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "ක්\u{200d}ෂ",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "\u{1f469}\u{1f3fd}\u{200d}\u{1f4bb}",
            "\u{2764}\u{fe0f}\u{200d}\u{1f525}",
            "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
            "1\u{fe0f}\u{20e3}",
            "葛\u{e0100}城",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "\u{1820}\u{180b}",
        ] {
            assert_eq!(escape(text), text, "{text:?}");
        }
    }
}
