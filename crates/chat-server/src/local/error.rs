//! The errors of a local client.

use chat_proto::{NameError, TextError};

use crate::{
    hub::{JoinError, NotPlaced},
    policy::Panicked,
};

/// Why a local client could not join, send or receive.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, LocalError, NameError, TextError};
///
/// let server = ChatServer::builder().build();
/// let refused = async |name| server.local(name).await.err();
/// assert_eq!(refused("guest7").await, Some(LocalError::Name(NameError::Reserved)));
///
/// let ann = server.local("ann").await?;
/// assert_eq!(refused("ANN").await, Some(LocalError::NameTaken));
/// assert_eq!(ann.send("two\nlines").await, Err(LocalError::Text(TextError::Control)));
///
/// server.shutdown().await;
/// assert_eq!(ann.send("hello").await, Err(LocalError::Stopped));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The name is not valid (clauses 1.6 and 2.7).
    #[error(transparent)]
    Name(#[from] NameError),
    /// Another client has this name. Case does not matter.
    #[error("the name is taken")]
    NameTaken,
    /// The text is not valid (clause 1.5).
    #[error(transparent)]
    Text(#[from] TextError),
    /// The policy refused the name or the message.
    #[error("refused by the policy")]
    Refused,
    /// The policy panicked.
    #[error("the policy panicked")]
    PolicyPanicked,
    /// It received too slowly and was cut: its next event would come after a gap (clause 5.5).
    #[error("cut off, because it received too slowly")]
    Lagged,
    /// It has left: by [`LocalSender::leave`](crate::LocalSender::leave), or because the embedding program
    /// [kicked](crate::ChatServer::kick) it.
    #[error("the client has left")]
    Left,
    /// The server has stopped.
    #[error("the server has stopped")]
    Stopped,
}

impl From<Panicked> for LocalError {
    fn from(Panicked: Panicked) -> Self {
        Self::PolicyPanicked
    }
}

impl From<JoinError> for LocalError {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::NameTaken => Self::NameTaken,
            JoinError::Stopped => Self::Stopped,
        }
    }
}

impl From<NotPlaced> for LocalError {
    fn from(error: NotPlaced) -> Self {
        match error {
            NotPlaced::Stopped => Self::Stopped,
            NotPlaced::Left => Self::Left,
        }
    }
}
