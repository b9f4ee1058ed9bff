//! Plays every dialogue of `protocole.md` over TCP, in memory and over a Unix socket. In memory, clients send single
//! bytes; over a Unix socket, pieces of seven bytes.

use std::collections::{BTreeMap, btree_map::Entry};

use chat_proto::contract::{Action, Contract, Dialogue, Guests};
use chat_server::{ChatServer, listen::memory};

use crate::support::{Peer, start, unlimited};

fn contract() -> Contract {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocole.md");
    Contract::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Plays a dialogue. `connect` opens a connection for each client, and clients send pieces of `piece_size` bytes.
async fn play(dialogue: &Dialogue, piece_size: usize, mut connect: impl AsyncFnMut() -> Peer) {
    let mut peers = BTreeMap::new();
    let mut guests = Guests::default();
    for step in &dialogue.steps {
        let peer = match peers.entry(step.client) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(connect().await),
        };
        let location = format!("protocole.md:{}, dialogue {}", step.at, dialogue.name);
        match &step.action {
            Action::Send(line) => send(peer, format!("{line}\r\n").as_bytes(), piece_size).await,
            Action::SendRaw(bytes) => send(peer, bytes, piece_size).await,
            Action::HalfClose => peer.half_close().await,
            Action::Expect(expected) => {
                let line = peer.line().await;
                assert!(guests.matches(expected, &line), "{location}: expected {expected:?}, got {line:?}");
            }
            Action::ExpectRaw(bytes) => assert_eq!(
                String::from_utf8_lossy(&peer.bytes(bytes.len()).await),
                String::from_utf8_lossy(bytes),
                "{location}"
            ),
            Action::ExpectEof => assert_eq!(peer.rest().await, "", "{location}"),
            other => panic!("{location}: {other:?} cannot be played"),
        }
    }
}

async fn send(peer: &mut Peer, bytes: &[u8], piece_size: usize) {
    for piece in bytes.chunks(piece_size) {
        peer.raw(piece).await;
    }
}

#[tokio::test]
async fn every_dialogue_holds_over_tcp() {
    for dialogue in contract().dialogues() {
        let (server, address) = start(ChatServer::builder()).await;
        play(dialogue, usize::MAX, async || Peer::tcp(address).await).await;
        server.cut();
    }
}

#[tokio::test]
async fn every_dialogue_holds_over_memory_byte_by_byte() {
    for dialogue in contract().dialogues() {
        let (connector, listener) = memory();
        let server = unlimited().build();
        tokio::spawn(server.serve(listener).into_future());
        play(dialogue, 1, async || Peer::over(connector.connect().await.unwrap())).await;
        server.cut();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn every_dialogue_holds_over_a_unix_socket() {
    use crate::support::{socket_path, start_at};
    use chat_server::listen::ListenAddr;

    let path = socket_path("dialogues");
    for dialogue in contract().dialogues() {
        let (server, serving) = start_at(&ListenAddr::Unix(path.clone()), ChatServer::builder()).await;
        play(dialogue, 7, async || Peer::over(tokio::net::UnixStream::connect(&path).await.unwrap())).await;
        server.cut();
        serving.await.unwrap();
        assert!(!path.exists(), "the listener removes its path");
    }
}
