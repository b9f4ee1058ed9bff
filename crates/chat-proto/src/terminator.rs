//! The two ways in which a line may end.

/// How the lines to a peer end: with CRLF, unless the peer's own first line ended in a bare LF (clause 1.2).
///
/// There are these two and no others, so the enum is exhaustive.
///
/// ```
/// use chat_proto::Terminator;
///
/// assert_eq!(Terminator::default().as_str(), "\r\n");
/// assert_eq!(Terminator::Lf.as_str(), "\n");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Terminator {
    /// `\r\n`.
    #[default]
    CrLf,
    /// `\n`.
    Lf,
}

impl Terminator {
    /// The characters that end a line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CrLf => "\r\n",
            Self::Lf => "\n",
        }
    }
}
