//! The prompt shows the stage of the connection, and how many messages wait for their `OK`.

/// While the person is asked for a name.
pub(super) const NAME: &str = "name: ";
/// While there is no session.
pub(super) const CONNECTING: &str = ".. ";

/// The prompt of a session with this number of waiting messages.
pub(super) fn connected(waiting: usize) -> &'static str {
    const COUNTED: [&str; 10] = [">> ", "1> ", "2> ", "3> ", "4> ", "5> ", "6> ", "7> ", "8> ", "9> "];
    COUNTED.get(waiting).copied().unwrap_or("+> ")
}
