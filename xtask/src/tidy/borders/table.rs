//! Which part of the project may use what. `crates/ARCHITECTURE.md` tells why; this is what is checked.

/// Where this table is.
pub(super) const PATH: &str = "xtask/src/tidy/borders/table.rs";

/// A part and its borders.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    /// Files, or folders with `/` at the end.
    pub(super) places: &'static [&'static str],
    /// Those below the places that are another part.
    pub(super) without: &'static [&'static str],
    /// Paths that it may use, with all below them; empty: all.
    pub(super) only: &'static [&'static str],
    /// Paths that it may not use even so.
    pub(super) never: &'static [&'static str],
    /// What it does, that makes it so.
    pub(super) law: &'static str,
}

impl Part {
    pub(super) fn holds(&self, path: &str) -> bool {
        let is_in = |place: &&str| if place.ends_with('/') { path.starts_with(*place) } else { path == *place };
        self.places.iter().any(is_in) && !self.without.iter().any(is_in)
    }

    pub(super) fn may_use(&self, path: &str) -> bool {
        let below =
            |root: &&str| path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        // Macros of the prelude are nobody's border, but where they are named.
        let prelude = path.ends_with('!') && !path.contains("::");
        !self.never.iter().any(below) && (self.only.is_empty() || prelude || self.only.iter().any(below))
    }
}

/// The table.
pub(super) const TABLE: &[Part] = &[
    Part {
        name: "the vocabulary of chat-proto",
        places: &[
            "crates/chat-proto/src/message/",
            "crates/chat-proto/src/error.rs",
            "crates/chat-proto/src/name.rs",
            "crates/chat-proto/src/roster.rs",
            "crates/chat-proto/src/terminator.rs",
            "crates/chat-proto/src/text.rs",
        ],
        without: &[],
        only: &["std", "thiserror", "crate"],
        never: &[
            "crate::ClientCodec",
            "crate::ServerCodec",
            "crate::codec",
            "crate::contract",
            "println!",
            "std::net",
            "std::thread",
            "std::time",
        ],
        law: "knows std, thiserror and itself: no buffers, no codec, no runtime",
    },
    Part {
        name: "the codec",
        places: &["crates/chat-proto/src/codec/"],
        without: &[],
        only: &["std", "thiserror", "bytes", "tokio_util::codec", "crate"],
        never: &["crate::contract", "std::net", "std::thread", "std::time"],
        law: "knows the vocabulary, bytes and tokio-util's codec traits: no runtime",
    },
    Part {
        name: "the reader of the contract",
        places: &["crates/chat-proto/src/contract/"],
        without: &[],
        only: &["std", "crate::contract"],
        never: &[],
        law: "knows std alone, so that it can judge the rest of its crate",
    },
    Part {
        name: "the core of the hub",
        places: &[
            "crates/chat-server/src/hub/batch.rs",
            "crates/chat-server/src/hub/listing.rs",
            "crates/chat-server/src/hub/roster.rs",
            "crates/chat-server/src/hub/state.rs",
        ],
        without: &[],
        only: &[
            "std",
            "bytes",
            "chat_proto",
            "crate::hub::Reply",
            "crate::hub::batch",
            "crate::hub::listing",
            "crate::hub::pieces",
            "crate::hub::roster",
            "crate::hub::state",
            "crate::peer::ConnId",
        ],
        never: &["std::fs", "std::io", "std::net", "std::thread", "std::time"],
        law: "is pure state: no runtime, no clock, no sockets; let hub/task.rs hand it in",
    },
    Part {
        name: "the hub",
        places: &["crates/chat-server/src/hub/"],
        without: &[],
        only: &[],
        never: &["crate::conn", "crate::listen", "socket2", "std::net", "tokio::fs", "tokio::io", "tokio::net"],
        law: "is handed commands: it never reads or writes a connection",
    },
    Part {
        name: "a connection",
        places: &["crates/chat-server/src/conn/"],
        without: &[],
        only: &[],
        never: &[
            "crate::hub::batch",
            "crate::hub::command",
            "crate::hub::outbox",
            "crate::hub::roster",
            "crate::hub::state",
            "crate::hub::task",
            "crate::listen",
            "socket2",
            "std::net",
            "tokio::net",
        ],
        law: "reaches the hub through what hub/mod.rs hands out, and its peer through any stream",
    },
    Part {
        name: "listening",
        places: &["crates/chat-server/src/listen/"],
        without: &[],
        only: &["std", "rustix", "socket2", "thiserror", "tokio", "tracing", "crate::listen"],
        never: &[],
        law: "brings connections in and knows nothing of chat",
    },
    Part {
        name: "the test kit of chat-server",
        places: &["crates/chat-server/src/testkit/"],
        without: &[],
        only: &["std", "chat_proto", "thiserror", "tokio", "crate::testkit", "super"],
        never: &["std::net", "std::thread", "tokio::net"],
        law: "judges the server from outside: it knows the protocol and streams, and nothing of how the server works",
    },
    Part {
        name: "the library chat-server",
        places: &["crates/chat-server/src/"],
        without: &["crates/chat-server/src/cli/", "crates/chat-server/src/main.rs"],
        only: &[],
        never: &[
            "chat_client",
            "clap",
            "rustix::process",
            "rustix::stdio",
            "rustix::termios",
            "std::env",
            "std::io::stdin",
            "std::process",
            "tokio::signal",
            "tracing_subscriber",
            "eprint!",
            "eprintln!",
            "print!",
            "println!",
        ],
        law: "is embedded: flags, logs, signals and the terminal are its program's",
    },
    Part {
        name: "the library chat-client",
        places: &["crates/chat-client/src/"],
        without: &["crates/chat-client/src/cli/", "crates/chat-client/src/main.rs"],
        only: &[],
        never: &[
            "chat_server",
            "clap",
            "std::env",
            "std::process",
            "tokio::signal",
            "tracing_subscriber",
            "eprint!",
            "eprintln!",
            "print!",
            "println!",
        ],
        law: "is embedded, and talks to any server of this protocol",
    },
    Part {
        name: "the program chat-server",
        places: &["crates/chat-server/src/cli/", "crates/chat-server/src/main.rs"],
        without: &[],
        only: &[
            "std",
            "chat_proto",
            "chat_server",
            "clap",
            "crate",
            "rustix",
            "tokio",
            "tracing",
            "tracing_subscriber",
        ],
        never: &["crate::conn", "crate::hub", "crate::shared"],
        law: "parses flags, sets up logs and signals, and calls its library",
    },
    Part {
        name: "the program chat-client",
        places: &["crates/chat-client/src/cli/", "crates/chat-client/src/main.rs"],
        without: &[],
        only: &[
            "std",
            "anstream",
            "anstyle",
            "chat_client",
            "chat_proto",
            "clap",
            "crate",
            "etcetera",
            "futures",
            "jiff",
            "reedline",
            "rustix",
            "serde",
            "serde_json",
            "tokio",
            "tracing",
            "unicode_width",
        ],
        never: &["crate::session"],
        law: "parses flags, has the terminal and the signals, and calls its library",
    },
    Part {
        name: "the judge's cases",
        places: &["crates/chat-conform/src/case/", "crates/chat-conform/src/known.rs"],
        without: &[],
        only: &[],
        never: &["std::net", "std::process", "std::thread", "tokio", "crate::client", "crate::play", "crate::proxy"],
        law: "are data: what is played, and nothing of how",
    },
    Part {
        name: "the notes of the proxy",
        places: &["crates/chat-conform/src/proxy/note.rs", "crates/chat-conform/src/proxy/saved.rs"],
        without: &[],
        only: &[],
        never: &["std::fs", "std::io", "std::net", "std::time", "tokio"],
        law: "are pure state: lines come in, remarks go out",
    },
    Part {
        name: "the library chat-conform",
        places: &["crates/chat-conform/src/"],
        without: &["crates/chat-conform/src/cli/", "crates/chat-conform/src/main.rs"],
        only: &[],
        never: &[
            "chat_client",
            "chat_server",
            "clap",
            "std::env",
            "tokio::signal",
            "eprint!",
            "eprintln!",
            "print!",
            "println!",
        ],
        law: "judges any implementation, knows none, and leaves the terminal to its program",
    },
];
