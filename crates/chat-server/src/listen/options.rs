//! Options for binding an address.

/// Options for [`ListenAddr::bind_with`](super::ListenAddr::bind_with) and, on Unix,
/// [`UnixSocket::bind_with`](super::UnixSocket::bind_with).
///
/// ```
/// let options = chat_server::listen::BindOptions::new().unix_mode(0o660);
/// # let _ = options;
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct BindOptions {
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no Unix sockets"))]
    pub(super) unix_mode: Option<u32>,
}

impl BindOptions {
    /// The defaults of the system.
    pub fn new() -> Self {
        Self::default()
    }

    /// The permissions of Unix sockets, such as `0o660`. Only the lowest nine bits count. A peer needs write permission to
    /// connect. The permissions apply before the first peer can connect. By default, the umask of the process decides.
    #[must_use]
    pub fn unix_mode(mut self, mode: u32) -> Self {
        self.unix_mode = Some(mode & 0o777);
        self
    }
}
