//! The value of `--listen` and of `CHAT_LISTEN`, and that of `--unix-mode`.

use std::ffi::OsStr;

use chat_server::listen::{AddrError, ListenAddr};
use clap::{
    Arg, Command,
    builder::{StringValueParser, TypedValueParser},
    error::{Error, ErrorKind},
    parser::ValueSource,
};

/// One `--listen`, or all of `CHAT_LISTEN`.
#[derive(Clone, Debug)]
pub(super) struct Addresses(pub(super) Vec<ListenAddr>);

/// A value on the command line is one address. The variable holds several, separated by commas; `\,` is a comma in a
/// path.
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
        let pieces = if source == ValueSource::EnvVariable { split(&value) } else { vec![value] };
        let addresses = pieces.iter().map(|piece| piece.parse().map_err(|error| invalid(command, arg, piece, &error)));
        addresses.collect::<Result<_, _>>().map(Addresses)
    }
}

/// Splits at commas without a backslash.
fn split(value: &str) -> Vec<String> {
    let (mut pieces, mut piece) = (Vec::new(), String::new());
    let mut rest = value.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '\\' if rest.next_if_eq(&',').is_some() => piece.push(','),
            ',' => pieces.push(std::mem::take(&mut piece)),
            other => piece.push(other),
        }
    }
    pieces.push(piece);
    pieces
}

/// Words the error as clap words those of its own parsers.
fn invalid(command: &Command, arg: Option<&Arg>, value: &str, reason: &AddrError) -> Error {
    let flag = arg.map_or_else(|| "--listen".to_owned(), ToString::to_string);
    // Clap fills in the rich form of this error for its own parsers only.
    let message = format!("invalid value '{value}' for '{flag}': {reason}\n");
    command.clone().error(ErrorKind::ValueValidation, message)
}

/// Parses octal digits, as `chmod` does.
pub(super) fn mode(mode: &str) -> Result<u32, &'static str> {
    let digits = mode.strip_prefix("0o").unwrap_or(mode);
    let octal = !digits.is_empty() && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| octal && *mode <= 0o777);
    mode.ok_or("give three octal digits, such as 660")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_split_at_commas_without_a_backslash() {
        assert_eq!(split("a:1,b:2"), ["a:1", "b:2"]);
        assert_eq!(split(r"unix:/a\,b,c:1"), ["unix:/a,b", "c:1"]);
        assert_eq!(split(r"unix:/a\b"), [r"unix:/a\b"]);
        assert_eq!(split("a:1,"), ["a:1", ""]);
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!([mode("660"), mode("0660"), mode("0o7"), mode("777")], [Ok(0o660), Ok(0o660), Ok(7), Ok(0o777)]);
        for bad in ["", "888", "rw", "1777", "-1", "+660", "0x1ff"] {
            assert!(mode(bad).is_err(), "{bad:?}");
        }
    }
}
