//! The two ways in which a line may end.

/// What ends the lines that a peer gets: CRLF, unless its own first line ended in a bare LF (clause 1.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Terminator {
    /// `\r\n`.
    #[default]
    CrLf,
    /// `\n`.
    Lf,
}

impl Terminator {
    /// Its bytes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CrLf => "\r\n",
            Self::Lf => "\n",
        }
    }
}
