//! The quoted strings of the annexes: `"MSG " + "\u{1F642}"*2000` is a run of bytes.

/// No repetition makes more bytes than this: a slip in the document must not fill the memory.
const MOST: usize = 1 << 24;

/// Reads the strings that `text` starts with. Gives their bytes, and what follows them.
pub(super) fn leading(text: &str) -> Result<(Vec<u8>, &str), String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    loop {
        rest = term(rest, &mut bytes)?;
        match rest.trim_start().strip_prefix('+') {
            Some(next) => rest = next.trim_start(),
            None => return Ok((bytes, rest)),
        }
    }
}

/// Reads `text`, which is strings and nothing else.
pub(super) fn whole(text: &str) -> Result<Vec<u8>, String> {
    match leading(text)? {
        (bytes, "") => Ok(bytes),
        (_, rest) => Err(format!("`{rest}` stands behind the string")),
    }
}

/// One string, repeated or not.
fn term<'a>(text: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, String> {
    let inner = text.strip_prefix('"').ok_or_else(|| format!("a string in quotes is wanted, not `{text}`"))?;
    let start = bytes.len();
    let rest = quoted(inner, bytes)?;
    let Some(repeated) = rest.strip_prefix('*') else { return Ok(rest) };

    let digits = repeated.bytes().take_while(u8::is_ascii_digit).count();
    let (times, rest) = repeated.split_at(digits);
    let piece = bytes.split_off(start);
    match times.parse::<usize>() {
        Ok(times) if times.saturating_mul(piece.len()) <= MOST => bytes.extend(piece.repeat(times)),
        _ => return Err(format!("`*{times}` is no number of times, or too many")),
    }
    Ok(rest)
}

/// What is inside the quotes. Gives what follows the closing one.
fn quoted<'a>(mut text: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, String> {
    loop {
        let mut chars = text.chars();
        match chars.next() {
            Some('"') => return Ok(chars.as_str()),
            Some('\\') => text = escape(chars.as_str(), bytes)?,
            Some(c) => {
                bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
                text = chars.as_str();
            }
            None => return Err("the string is never closed".to_owned()),
        }
    }
}

/// What follows a backslash. Gives what follows the escape.
fn escape<'a>(text: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, String> {
    let mut chars = text.chars();
    let byte = match chars.next() {
        Some('"') => b'"',
        Some('\\') => b'\\',
        Some('t') => b'\t',
        Some('r') => b'\r',
        Some('n') => b'\n',
        Some('0') => 0,
        Some('x') => {
            let digits = chars.as_str().get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.ok_or("two hexadecimal digits are wanted behind `\\x`")?);
            return Ok(&chars.as_str()[2..]);
        }
        Some('u') => {
            let braced = chars.as_str().strip_prefix('{').and_then(|text| text.split_once('}'));
            let (digits, rest) = braced.ok_or("a number in braces is wanted behind `\\u`")?;
            let scalar = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
            let scalar = scalar.ok_or_else(|| format!("`\\u{{{digits}}}` is no character"))?;
            bytes.extend(scalar.encode_utf8(&mut [0; 4]).bytes());
            return Ok(rest);
        }
        other => return Err(format!("there is no escape `\\{}`", other.unwrap_or(' '))),
    };
    bytes.push(byte);
    Ok(chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn means(text: &str, bytes: &[u8]) {
        assert_eq!(whole(text).as_deref(), Ok(bytes), "{text}");
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        assert_eq!(whole(text), Err(why.to_owned()), "{text}");
    }

    #[test]
    fn strings() {
        means(r#""""#, b"");
        means(r#""MSG hi""#, b"MSG hi");
        means(r#""\"\\\t\r\n\0\x1B\xff""#, b"\"\\\t\r\n\0\x1b\xff");
        means(r#""\u{43E}é\u{1F642}""#, "\u{43e}é\u{1f642}".as_bytes());
        means(r#""\xC3" + "\xA9""#, "é".as_bytes());
        means(r#""MSG " + "ab"*3 + "\r\n""#, b"MSG ababab\r\n");
        means(r#""a"*0+"b""#, b"b");
    }

    #[test]
    fn not_strings() {
        refused("hi", "a string in quotes is wanted, not `hi`");
        refused(r#""hi"#, "the string is never closed");
        refused(r#""hi" there"#, "` there` stands behind the string");
        refused(r#""\q""#, "there is no escape `\\q`");
        refused(r#""\x1"#, "two hexadecimal digits are wanted behind `\\x`");
        refused(r#""\x+1""#, "two hexadecimal digits are wanted behind `\\x`");
        refused(r#""\u{D800}""#, "`\\u{D800}` is no character");
        refused(r#""\u41""#, "a number in braces is wanted behind `\\u`");
        refused(r#""a"*"#, "`*` is no number of times, or too many");
        refused(r#""a"*99999999999"#, "`*99999999999` is no number of times, or too many");
    }

    #[test]
    fn what_follows_is_given_back() {
        assert_eq!(leading(r#""a" + "b" => x"#), Ok((b"ab".to_vec(), " => x")));
    }
}
