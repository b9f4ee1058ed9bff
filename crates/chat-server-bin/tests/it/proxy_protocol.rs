//! Tests of `--proxy-protocol`: limits and the log go by the address in the header.

use std::net::SocketAddr;

use crate::{
    abuse::{PROGRAM, stop},
    process::Process,
    support::Peer,
};

/// A client whose connection begins with a header for 192.0.2.`host`, port 4000.
async fn behind_proxy(server: SocketAddr, host: u8) -> Peer {
    let mut peer = Peer::tcp(server).await;
    let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    peer.raw(&[header.as_slice(), &[192, 0, 2, host], &[127, 0, 0, 1], &[0x0f, 0xa0, 0x08, 0xae]].concat()).await;
    peer
}

#[tokio::test]
async fn limits_and_log_go_by_the_address_in_the_header() {
    let options = ["--listen", "127.0.0.1:0", "--proxy-protocol", "--max-clients-per-ip", "1", "-v"];
    let mut server = Process::start(PROGRAM, &options);
    let address = server.address();
    let one = behind_proxy(address, 1).await.join("one").await;
    let two = behind_proxy(address, 2).await.join("two").await;
    assert_eq!(behind_proxy(address, 1).await.rest().await, "BYE\r\n");
    let mut direct = Peer::tcp(address).await;
    direct.raw(b"hello\r\n").await;
    assert_eq!(direct.rest().await, "", "it must not be served");
    drop((one, two));

    let log = stop(server);
    for wanted in ["connected conn=1 peer=192.0.2.1:4000 proxy=127.0.0.1:", "peer=192.0.2.2:4000", "handshake failed"] {
        assert!(log.contains(wanted), "{wanted}: {log}");
    }
}
