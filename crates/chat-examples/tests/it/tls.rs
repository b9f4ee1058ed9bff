//! TLS beside plain TCP.

use std::{fs, net::SocketAddr, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore},
};

use crate::{interrupt, process::Process, start, support::Peer};

/// The example with a certificate for `localhost`, and a client that trusts it.
fn start_with_certificate() -> (Process, TlsConnector) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = ["certificate", "key"].map(|file| format!("{}/tls-{file}.pem", env!("CARGO_TARGET_TMPDIR")));
    fs::write(&files[0], cert.pem()).unwrap();
    fs::write(&files[1], signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (start("tls", &[&files[0], &files[1]]), Arc::new(config).into())
}

async fn handshake(connector: &TlsConnector, address: SocketAddr) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    connector.connect("localhost".try_into().unwrap(), stream).await.unwrap()
}

#[tokio::test]
async fn encrypted_and_plain_clients_share_a_room_and_a_slow_handshake_delays_nobody() {
    let (mut example, connector) = start_with_certificate();
    let (tls, plain) = (example.address(), example.address());
    // One that says nothing, and one that does not speak TLS.
    let silent = Peer::tcp(tls).await;
    let mut wrong = Peer::tcp(tls).await;
    wrong.send("PROT 0.1 CONNECT USER eve").await;

    let mut ann = Peer::over(handshake(&connector, tls).await).join("ann").await;
    let mut bob = Peer::tcp(plain).await.join("bob").await;
    ann.expect("JOIN bob").await;
    ann.send("MSG hello").await;
    ann.expect("OK").await;
    bob.expect("FROM ann MSG hello").await;

    // The server ends the session in TLS too. Without that, the client could not tell an end from an attack.
    let mut guest = handshake(&connector, tls).await;
    guest.write_all(b"BYE\r\n").await.unwrap();
    let mut received = String::new();
    guest.read_to_string(&mut received).await.unwrap();
    assert_eq!(received, "BYE\r\n");
    drop(guest);
    bob.expect("JOIN guest1").await;
    bob.expect("LOGOUT guest1").await;

    let ended = tokio::task::spawn_blocking(|| interrupt(example));
    ann.expect("JOIN guest1").await;
    ann.expect("LOGOUT guest1").await;
    ann.expect("BYE").await;
    ann.expect_end().await;
    drop((ann, bob, silent, wrong));
    assert_eq!(ended.await.unwrap(), "2 drained, 0 cut\n");
}
