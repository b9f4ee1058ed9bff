//! Parses the values of `--listen`, `CHAT_LISTEN` and `--unix-mode`.

use std::ffi::OsStr;

use chat_server::listen::{AddrError, ListenAddr};
use clap::{
    Arg, Command,
    builder::{StringValueParser, TypedValueParser},
    error::{Error, ErrorKind},
    parser::ValueSource,
};

/// The address of one `--listen`, or all addresses of `CHAT_LISTEN`.
#[derive(Clone, Debug)]
pub(super) struct Addresses(pub(super) Vec<ListenAddr>);

/// Parses [`Addresses`]. A flag contains one address. The variable can contain several, separated by commas; `\,` is a comma
/// in a path.
#[derive(Clone, Debug)]
pub(super) struct AddressesParser;

impl TypedValueParser for AddressesParser {
    type Value = Addresses;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Addresses, Error> {
        self.parse_ref_(command, arg, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Addresses, Error> {
        let value = StringValueParser::new().parse_ref(command, arg, value)?;
        let texts = if source == ValueSource::EnvVariable { split_at_commas(&value) } else { vec![value] };
        let addresses =
            texts.iter().map(|text| text.parse().map_err(|error| invalid_value(command, arg, text, &error)));
        addresses.collect::<Result<_, _>>().map(Addresses)
    }
}

/// Splits at commas. `\,` is a comma that does not split.
fn split_at_commas(value: &str) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let mut chars = value.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '\\' if chars.next_if_eq(&',').is_some() => part.push(','),
            ',' => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    parts
}

/// Creates an error in the wording of clap.
fn invalid_value(command: &Command, arg: Option<&Arg>, value: &str, reason: &AddrError) -> Error {
    let flag = arg.map_or_else(|| "--listen".to_owned(), ToString::to_string);
    // Clap's structured form of this error has no place for a reason.
    let message = format!("invalid value '{value}' for '{flag}': {reason}\n");
    command.clone().error(ErrorKind::ValueValidation, message)
}

/// Parses octal digits, as `chmod` does.
pub(super) fn parse_mode(mode: &str) -> Result<u32, &'static str> {
    let digits = mode.strip_prefix("0o").unwrap_or(mode);
    let is_octal = !digits.is_empty() && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| is_octal && *mode <= 0o777);
    mode.ok_or("give three octal digits, such as 660")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_split_at_commas_without_a_backslash() {
        assert_eq!(split_at_commas("a:1,b:2"), ["a:1", "b:2"]);
        assert_eq!(split_at_commas(r"unix:/a\,b,c:1"), ["unix:/a,b", "c:1"]);
        assert_eq!(split_at_commas(r"unix:/a\b"), [r"unix:/a\b"]);
        assert_eq!(split_at_commas("a:1,"), ["a:1", ""]);
    }

    #[test]
    fn modes_are_octal_digits() {
        let modes = ["660", "0660", "0o7", "777"].map(parse_mode);
        assert_eq!(modes, [Ok(0o660), Ok(0o660), Ok(7), Ok(0o777)]);
        for bad in ["", "888", "rw", "1777", "-1", "+660", "0x1ff"] {
            assert!(parse_mode(bad).is_err(), "{bad:?}");
        }
    }
}
