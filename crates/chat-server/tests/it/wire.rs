//! What the dialogues of `protocole.md` do not cover: pipelined requests, invalid input, a contested name, long rosters.

use crate::support::{Peer, start, unlimited};

#[tokio::test]
async fn a_thousand_pipelined_requests_are_answered_in_order_even_after_a_half_close() {
    let (server, address) = start(unlimited()).await;
    let mut witness = Peer::tcp(address).await.join("witness").await;
    let mut peer = Peer::tcp(address).await;
    let (mut requests, mut expected) =
        ("PROT 0.1 CONNECT USER ann\r\n".to_owned(), "NAME OK\r\nWELCOME\r\n".to_owned());
    for n in 0..1_000 {
        let (request, reply) = match n % 4 {
            0 => (format!("MSG {n}"), "OK"),
            1 => ("PING".to_owned(), "PONG"),
            2 => ("NONSENSE".to_owned(), "BAD REQ"),
            _ => ("REQ CLIENTS".to_owned(), "LIST CLIENTS 2 witness ann"),
        };
        requests.extend([request.as_str(), "\r\n"]);
        expected.extend([reply, "\r\n"]);
    }
    peer.raw(requests.as_bytes()).await;
    peer.half_close().await;
    assert_eq!(peer.rest().await, expected);

    witness.expect("JOIN ann").await;
    for n in (0..1_000).step_by(4) {
        witness.expect(&format!("FROM ann MSG {n}")).await;
    }
    witness.expect("LOGOUT ann").await;
    server.cut();
}

/// The server answers each of these connections with an error, and closes it. Members see nothing of it.
#[tokio::test]
async fn other_protocols_and_junk_are_refused_and_harm_no_member() {
    let (server, address) = start(unlimited()).await;
    let mut bystander = Peer::tcp(address).await.join("bystander").await;
    let client_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let junk = vec![b'j'; 20_000];
    let lines_of_junk = b"NAME x\r\n".repeat(10_000);
    let junk_before_login = [b"PROT 0.1 CONNECT NEW\r\nMSG early\r\n".as_slice(), &lines_of_junk].concat();
    let cases: [(&[u8], &str); 8] = [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "BAD REQ\r\n"),
        (b"POST /chat HTTP/1.1\r\n\r\n{}", "BAD REQ\r\n"),
        (client_hello, "BAD REQ\r\n"),
        (b"\xff\xfb\x18\xff\xfb\x1f", "BAD REQ\r\n"),
        (b"\xe2\x28\xa1\r\n", "BAD REQ\r\n"),
        (&junk, "BAD REQ\r\n"),
        (b"PROT 0.2 CONNECT NEW\r\n", "BAD PROT\r\n"),
        (&junk_before_login, "NAME REQ\r\nBAD REQ\r\n"),
    ];
    for (bytes, answer) in cases {
        let mut peer = Peer::tcp(address).await;
        peer.raw(bytes).await;
        assert_eq!(peer.rest().await, answer, "{}", bytes[..bytes.len().min(40)].escape_ascii());
    }
    bystander.send("REQ CLIENTS").await;
    bystander.expect("LIST CLIENTS 1 bystander").await;
    server.cut();
}

#[tokio::test]
async fn control_characters_never_reach_other_clients() {
    let (server, address) = start(unlimited()).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut bob = Peer::tcp(address).await.join("bob").await;
    ann.expect("JOIN bob").await;
    for invalid in ["MSG a\rFROM admin MSG x", "MSG \0", "MSG \u{1b}[31m", "MSG \u{9b}31m", "MSG \u{85}", "MSG ", "MSG"]
    {
        bob.send(invalid).await;
        bob.expect("BAD REQ").await;
    }
    let longest = "\u{1f600}".repeat(2_000);
    bob.send(&format!("MSG {longest}")).await;
    bob.expect("OK").await;
    ann.expect(&format!("FROM bob MSG {longest}")).await;
    bob.send(&format!("MSG {longest}\u{1f600}")).await;
    bob.expect("BAD REQ").await;
    bob.send("MSG end").await;
    ann.expect("FROM bob MSG end").await;
    server.cut();
}

#[tokio::test]
async fn a_line_at_the_limit_passes_and_an_endless_one_ends_the_session() {
    let (server, address) = start(unlimited()).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let mut bob = Peer::tcp(address).await.join("bob").await;
    ann.expect("JOIN bob").await;
    let text = "x".repeat(2_000);
    bob.send(&format!("MSG {text}")).await;
    bob.expect("OK").await;
    ann.expect(&format!("FROM bob MSG {text}")).await;
    bob.raw(&vec![b'x'; 65_535]).await;
    bob.raw(b"\nPING\r\n").await;
    bob.expect("BAD REQ").await;
    bob.expect("PONG").await;
    bob.raw(&vec![b'x'; 65_536]).await;
    bob.expect("BAD REQ").await;
    bob.expect_end().await;
    ann.expect("LOGOUT bob").await;
    server.cut();
}

#[tokio::test]
async fn one_of_a_hundred_clients_gets_a_contested_name() {
    let (server, address) = start(unlimited()).await;
    let log_in = |n: usize| async move {
        let mut peer = Peer::tcp(address).await;
        peer.send(&format!("PROT 0.1 CONNECT USER {}", ["bob", "Bob", "BOB"][n % 3])).await;
        let answer = peer.line().await;
        (answer, peer)
    };
    let answers = futures::future::join_all((0..100).map(log_in)).await;
    let accepted = answers.iter().filter(|(answer, _)| answer == "NAME OK").count();
    let refused = answers.iter().filter(|(answer, _)| answer == "NAME FAILURE").count();
    assert_eq!((accepted, refused), (1, 99));
    server.cut();
}

/// Clause 3.6: the names do not fit into one line.
#[tokio::test]
async fn a_long_roster_takes_several_lines() {
    let (server, address) = start(unlimited().max_clients_per_address(1_000)).await;
    let mut peers = Vec::new();
    for n in 0..400 {
        peers.push(Peer::tcp(address).await.join(&format!("{n:020}")).await);
    }
    let peer = peers.last_mut().unwrap();
    peer.send("REQ CLIENTS").await;
    let (first, second) = (peer.line().await, peer.line().await);
    assert!(first.len() + 2 <= 8_192);
    assert!(first.starts_with("LIST CLIENTS 400 ") && second.starts_with("LIST CLIENTS 400 "));
    let names = [first, second].map(|line| line.split(' ').count() - 3);
    assert_eq!(names.iter().sum::<usize>(), 400);
    server.cut();
}
