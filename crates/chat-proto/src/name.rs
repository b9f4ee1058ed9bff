//! Names of clients: checked when made, compared without regard to case, and small enough to be copied.

use std::{fmt, str::FromStr};

use crate::MAX_NAME;

/// A client's name: 1 to [`MAX_NAME`] of `A-Z a-z 0-9` (clause 1.6).
///
/// It keeps its case, and `==` distinguishes `Bob` from `bob`. For the protocol these are the same name: compare their
/// [`Name::key`]s. A name is 21 bytes and has no heap allocation, so it is `Copy`.
///
/// ```
/// use chat_proto::{Name, NameError};
///
/// let name: Name = "Bob".parse()?;
/// assert_eq!(name.as_str(), "Bob");
/// assert_eq!(name.key(), Name::new("bob")?.key());
/// assert_eq!(Name::new("bob!"), Err(NameError::Character));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name {
    len: u8,
    bytes: [u8; MAX_NAME],
}

/// A name without its case, for comparisons and as the key of a map (clause 1.6).
///
/// ```
/// use std::collections::HashSet;
///
/// use chat_proto::Name;
///
/// let mut taken = HashSet::new();
/// assert!(taken.insert(Name::new("Bob")?.key()));
/// assert!(!taken.insert(Name::new("BOB")?.key()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NameKey(Name);

/// Why a string is not a name.
///
/// The value is a rule of a fixed grammar, so it is `Copy`; the string itself is not kept.
///
/// ```
/// use chat_proto::{Name, NameError};
///
/// let error = Name::chosen("guest7").unwrap_err();
/// assert_eq!(error, NameError::Reserved);
/// assert_eq!(error.to_string(), "names of the form guest<number> are given by the server");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The string is empty.
    #[error("a name has at least one character")]
    Empty,
    /// More than [`MAX_NAME`] bytes.
    #[error("a name has at most {MAX_NAME} characters")]
    TooLong,
    /// Something other than `A-Z a-z 0-9`.
    #[error("a name has only the letters A-Z and a-z and the digits 0-9")]
    Character,
    /// The name is `guest` and a number. Only the server gives such names (clause 2.7).
    #[error("names of the form guest<number> are given by the server")]
    Reserved,
}

impl Name {
    /// Checks a name that a server sent (clause 1.6). Names of guests are valid: see [`Name::chosen`].
    ///
    /// # Errors
    /// Every [`NameError`] but [`NameError::Reserved`].
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(NameError::Character);
        }
        let mut bytes = [0; MAX_NAME];
        bytes.get_mut(..name.len()).ok_or(NameError::TooLong)?.copy_from_slice(name.as_bytes());
        let len = u8::try_from(name.len()).map_err(|_| NameError::TooLong)?;
        Ok(Self { len, bytes })
    }

    /// Checks a name that a client chose for itself (clauses 1.6 and 2.7).
    ///
    /// # Errors
    /// Those of [`Name::new`], and [`NameError::Reserved`] for the name of a guest.
    ///
    /// ```
    /// use chat_proto::{Name, NameError};
    ///
    /// assert!(Name::new("guest7").is_ok());
    /// assert_eq!(Name::chosen("guest7"), Err(NameError::Reserved));
    /// assert!(Name::chosen("guestbook").is_ok());
    /// ```
    pub fn chosen(name: &str) -> Result<Self, NameError> {
        match Self::new(name)? {
            guest if guest.is_guest() => Err(NameError::Reserved),
            name => Ok(name),
        }
    }

    /// The name that the server gives to the plain session with this number (clause 2.3).
    ///
    /// The number is taken modulo 10^15, so that the name is never too long.
    ///
    /// ```
    /// use chat_proto::Name;
    ///
    /// assert_eq!(Name::guest(7).as_str(), "guest7");
    /// ```
    pub fn guest(number: u64) -> Self {
        // Fifteen digits follow `guest`: ten million plain sessions a second for three years.
        Self::new(&format!("guest{}", number % 1_000_000_000_000_000)).expect("`guest` and 15 digits are a name")
    }

    /// The name, in the case in which it was given.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("a name is ASCII")
    }

    /// The key of the name. Two names with equal keys are the same name.
    pub fn key(&self) -> NameKey {
        let mut folded = *self;
        folded.bytes.make_ascii_lowercase();
        NameKey(folded)
    }

    /// Whether the name is `guest` and a number, in any case (clause 2.7).
    pub fn is_guest(&self) -> bool {
        let key = self.key();
        key.0
            .as_str()
            .strip_prefix("guest")
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl TryFrom<&str> for Name {
    type Error = NameError;

    fn try_from(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(name: &str, why: NameError) {
        assert_eq!(Name::chosen(name), Err(why), "{name:?}");
    }

    #[test]
    fn what_is_not_a_name() {
        refused("", NameError::Empty);
        refused(&"a".repeat(21), NameError::TooLong);
        refused(&"a".repeat(1 << 20), NameError::TooLong);
        for name in ["a b", "a*", "b\u{43e}b", "bo\u{200b}b", "\u{202e}bob", "bob\r", "b\0b"] {
            refused(name, NameError::Character);
        }
        for name in ["guest7", "GUEST7", "Guest007"] {
            refused(name, NameError::Reserved);
        }
    }

    #[test]
    fn what_is_a_name() {
        for name in ["a", "Bob", "42", "guest", "guestbook", "guest7b", &"z".repeat(20)] {
            assert_eq!(Name::chosen(name).unwrap().as_str(), name);
        }
        assert!(Name::guest(u64::MAX).is_guest());
    }

    #[test]
    fn case_is_kept_and_does_not_tell_names_apart() {
        let (bob, shouted) = (Name::new("Bob").unwrap(), Name::new("BOB").unwrap());
        assert_ne!(bob, shouted);
        assert_eq!(bob.key(), shouted.key());
        assert_eq!(format!("{bob} {bob:?}"), "Bob \"Bob\"");
    }
}
