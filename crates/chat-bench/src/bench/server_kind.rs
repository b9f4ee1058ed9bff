//! The servers that the benchmarks compare.

use std::{env, fmt, path::PathBuf};

/// A server program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum ServerKind {
    Chat,
    /// Does the least possible work, as a reference for the others: see `floor.rs`.
    Floor,
    Nats,
    Redis,
    Ngircd,
}

impl ServerKind {
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

    /// Whether this workspace contains the program, so that it need not be installed.
    pub(super) fn is_own(self) -> bool {
        matches!(self, Self::Chat | Self::Floor)
    }

    /// Whether the benchmarks can start the server on this machine.
    pub(super) fn is_available(self) -> bool {
        self.is_own() || self.find_installed().is_some()
    }

    /// Finds an installed program in `PATH`, or in the directories where Debian installs servers.
    pub(super) fn find_installed(self) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let directories = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
        directories.map(|directory| directory.join(self.name())).find(|program| program.is_file())
    }
}

impl fmt::Display for ServerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
