//! The limits on connections, and what a policy decides about peers, logins and messages.

use std::{future::IntoFuture, net::SocketAddr};

use chat_server::{
    Admission, ChatServer, Connect, EndReason, Full, Login, Message, Name, Peer as ServerPeer, PlainSessions, Policy,
    Text, Verdict, listen::Listener,
};

use crate::support::{Peer, start, unlimited};

#[tokio::test]
async fn a_full_server_says_bye_and_reuses_a_free_place() {
    let (server, address) = start(ChatServer::builder().max_clients(2)).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut bob = Peer::tcp(address).await.join("bob").await;
    ann.expect("JOIN bob").await;
    let mut eve = Peer::tcp(address).await;
    // The server reads and discards Eve's line. An unread line would cause a reset, which could destroy the `BYE`.
    eve.send("PROT 0.1 CONNECT USER eve").await;
    eve.expect("BYE").await;
    eve.expect_end().await;
    bob.send("BYE").await;
    bob.expect("BYE").await;
    bob.expect_end().await;
    drop(bob);
    // The server frees Bob's place a moment later, when it has closed his connection.
    loop {
        let mut eve = Peer::tcp(address).await;
        eve.send("PROT 0.1 CONNECT USER eve").await;
        if eve.line().await == "NAME OK" {
            break;
        }
    }
    server.cut();
}

/// Clause 2.6: this holds even if many clients connect at once.
#[tokio::test]
async fn every_connection_to_a_full_server_gets_bye() {
    let (server, address) = start(unlimited().max_clients(1).max_clients_per_address(None)).await;
    let _ann = Peer::tcp(address).await.join("ann").await;
    let mut refused = Vec::new();
    for _ in 0..400 {
        refused.push(Peer::tcp(address).await);
    }
    for mut peer in refused {
        assert_eq!(peer.rest().await, "BYE\r\n");
    }
    assert_eq!(server.stats().ended_by(&EndReason::Full(Full::Server)), 400);
    server.cut();
}

#[tokio::test]
async fn connections_over_the_limit_of_an_address_get_bye() {
    let (server, address) = start(ChatServer::builder().max_clients_per_address(1)).await;
    let _ann = Peer::tcp(address).await.join("ann").await;
    let mut bob = Peer::tcp(address).await;
    bob.expect("BYE").await;
    bob.expect_end().await;
    server.cut();
}

#[tokio::test]
async fn plain_sessions_can_be_refused() {
    let (server, address) = start(ChatServer::builder().plain_sessions(PlainSessions::Refuse)).await;
    let mut guest = Peer::tcp(address).await;
    guest.raw(b"hello\n").await;
    assert_eq!(guest.rest().await, "BAD PROT\n");
    Peer::tcp(address).await.join("ann").await;
    server.cut();
}

/// Refuses the peer `outcast`, the name `admin` and the message `rude`. Closes a connection that asks for the name
/// `banned`. Panics at the name `bug` and at the message `bug`. Converts other messages to lower case.
struct Rules;

impl Policy for Rules {
    fn connect(&self, peer: &ServerPeer) -> Connect {
        if peer.to_string() == "outcast" { Connect::Refuse } else { Connect::Accept }
    }

    async fn admit(&self, login: Login) -> Admission {
        match login.name().as_ref().map(Name::as_str) {
            Some("admin") => Admission::RefuseName,
            Some("banned") => Admission::Close,
            Some("bug") => panic!("a bug in the embedder's rules"),
            _ => Admission::Admit,
        }
    }

    fn message(&self, message: &Message<'_>) -> Verdict {
        match message.text().as_str() {
            "rude" => Verdict::Refuse,
            "bug" => panic!("a bug in the embedder's rules"),
            other => Verdict::Replace(Text::new(other.to_lowercase()).unwrap()),
        }
    }
}

#[tokio::test]
async fn a_policy_decides_on_clients_and_messages() {
    let (server, address) = start(unlimited().policy(Rules)).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut admin = Peer::tcp(address).await;
    admin.send("PROT 0.1 CONNECT USER admin").await;
    admin.expect("NAME FAILURE").await;
    admin.expect("NAME REQ").await;
    admin.send("NAME bob").await;
    let mut bob = admin;
    bob.expect("NAME OK").await;
    bob.expect("WELCOME").await;
    let mut banned = Peer::tcp(address).await;
    banned.send("PROT 0.1 CONNECT USER banned").await;
    banned.expect("BYE").await;
    banned.expect_end().await;
    let (ours, theirs) = tokio::io::duplex(64);
    server.attach(theirs, ServerPeer::labelled("outcast"));
    assert_eq!(Peer::over(ours).rest().await, "BYE\r\n");

    bob.raw(b"MSG rude\r\nMSG LOUD\r\n").await;
    bob.expect("BAD REQ").await;
    bob.expect("OK").await;
    ann.expect("JOIN bob").await;
    ann.expect("FROM bob MSG loud").await;
    server.cut();
}

#[tokio::test]
async fn a_panic_in_a_policy_ends_that_connection_only() {
    let (server, address) = start(unlimited().policy(Rules)).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut bug = Peer::tcp(address).await;
    bug.send("PROT 0.1 CONNECT USER bug").await;
    bug.expect_end().await;
    let mut bob = Peer::tcp(address).await.join("bob").await;
    // The first two messages arrive together with `bug`, and are delivered.
    bob.raw(b"MSG one\r\nMSG two\r\nMSG bug\r\n").await;
    assert_eq!(bob.rest().await, "OK\r\nOK\r\n");
    ann.expect("JOIN bob").await;
    ann.expect("FROM bob MSG one").await;
    ann.expect("FROM bob MSG two").await;
    ann.expect("LOGOUT bob").await;
    ann.send("MSG still here").await;
    ann.expect("OK").await;
    server.cut();
}

/// Records the address of each peer that connects, and refuses the peer.
struct Recorder(tokio::sync::mpsc::UnboundedSender<String>);

impl Policy for Recorder {
    fn connect(&self, peer: &ServerPeer) -> Connect {
        self.0.send(format!("{peer} {:?}", peer.address())).unwrap();
        Connect::Refuse
    }
}

/// A listener like a socket for IPv4 and IPv6: it reports an IPv4 address as an IPv4-mapped IPv6 address.
struct MappedListener(Option<tokio::io::DuplexStream>);

impl Listener for MappedListener {
    type Reader = tokio::io::ReadHalf<tokio::io::DuplexStream>;
    type Writer = tokio::io::WriteHalf<tokio::io::DuplexStream>;

    async fn accept(&mut self) -> (Self::Reader, Self::Writer, ServerPeer) {
        let Some(stream) = self.0.take() else { return std::future::pending().await };
        let (reader, writer) = tokio::io::split(stream);
        (reader, writer, MAPPED_ADDRESS.parse::<SocketAddr>().unwrap().into())
    }
}

const MAPPED_ADDRESS: &str = "[::ffff:192.0.2.7]:5";

/// The policy receives the same canonical address that the limits use, for attached and for accepted connections.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it holds at most three addresses")]
async fn a_policy_sees_one_spelling_of_an_address() {
    let (sender, mut recorded) = tokio::sync::mpsc::unbounded_channel();
    let server = unlimited().policy(Recorder(sender)).build();
    let canonical = "192.0.2.7:5 Some(192.0.2.7:5)";
    server.attach(tokio::io::duplex(64).1, MAPPED_ADDRESS.parse::<SocketAddr>().unwrap().into());
    assert_eq!(recorded.recv().await.unwrap(), canonical);
    let (_ours, theirs) = tokio::io::duplex(64);
    tokio::spawn(server.serve(MappedListener(Some(theirs))).into_future());
    assert_eq!(recorded.recv().await.unwrap(), canonical);
    // An IPv6 address keeps its scope.
    let scoped: SocketAddr = "[fe80::1%3]:5".parse().unwrap();
    server.attach(tokio::io::duplex(64).1, scoped.into());
    assert_eq!(recorded.recv().await.unwrap(), format!("{scoped} {:?}", Some(scoped)));
    server.cut();
}
