//! The kinds of servers to compare.

use std::{env, fmt, path::PathBuf};

/// A kind of server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Chat,
    Floor,
    Nats,
    Redis,
    Ngircd,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Chat, Self::Floor, Self::Nats, Self::Redis, Self::Ngircd];

    /// The name of the program.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat-server",
            Self::Floor => "floor",
            Self::Nats => "nats-server",
            Self::Redis => "redis-server",
            Self::Ngircd => "ngircd",
        }
    }

    /// Whether the server can be measured on this machine.
    pub(super) fn is_installed(self) -> bool {
        // This workspace builds these two.
        matches!(self, Self::Chat | Self::Floor) || self.find().is_some()
    }

    /// Finds the program of another project, in `PATH` or in the folders where Debian installs servers.
    pub(super) fn find(self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
        folders.map(|folder| folder.join(self.name())).find(|path| path.is_file())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
