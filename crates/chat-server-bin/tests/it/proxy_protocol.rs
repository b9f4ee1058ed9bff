//! Tests of `--proxy-protocol`.

use std::net::SocketAddr;

use crate::{
    program::{start, stop},
    support::Peer,
};

/// Connects, and sends a header with the client address 192.0.2.`host`, port 4000.
async fn connect_through_proxy(server: SocketAddr, host: u8) -> Peer {
    let mut peer = Peer::tcp(server).await;
    let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    peer.raw(&[header.as_slice(), &[192, 0, 2, host], &[127, 0, 0, 1], &[0x0f, 0xa0, 0x08, 0xae]].concat()).await;
    peer
}

#[tokio::test]
async fn limits_and_log_go_by_the_address_in_the_header() {
    let args = ["--listen", "127.0.0.1:0", "--proxy-protocol", "--max-clients-per-ip", "1", "-v"];
    let mut server = start(&args);
    let address = server.address();
    let one = connect_through_proxy(address, 1).await.join("one").await;
    let two = connect_through_proxy(address, 2).await.join("two").await;
    assert_eq!(connect_through_proxy(address, 1).await.rest().await, "BYE\r\n");
    let mut direct = Peer::tcp(address).await;
    direct.raw(b"hello\r\n").await;
    assert_eq!(direct.rest().await, "", "a connection without a header is not served");
    drop((one, two));

    let log = stop(server);
    for expected in ["connected conn=1 peer=192.0.2.1:4000 proxy=127.0.0.1:", "peer=192.0.2.2:4000", "handshake failed"]
    {
        assert!(log.contains(expected), "no {expected} in {log}");
    }
}
