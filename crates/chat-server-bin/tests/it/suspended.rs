//! Tests of input that waits because the program is suspended or the rate limit is reached.

use std::time::Duration;

use rustix::process::Signal;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

use crate::{
    program::{reset, start_on_free_port, stop, wait_for_stats},
    support::Peer,
};

/// The program is suspended while the logins arrive and the login timeout expires (clause 2.5).
#[tokio::test]
async fn logins_that_arrived_in_time_are_accepted_after_a_suspension() {
    const CLIENTS: usize = 100;
    let (mut server, address) = start_on_free_port(&["--login-timeout", "1"]);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Peer::tcp(address).await);
    }
    wait_for_stats(&mut server, &format!("connections={CLIENTS} ")).await;
    server.signal(Signal::STOP);
    for (n, client) in clients.iter_mut().enumerate() {
        client.send(&format!("PROT 0.1 CONNECT USER client{n}")).await;
    }
    // Not a wait for an event: the login timeout must expire.
    sleep(Duration::from_millis(1_500)).await;
    server.signal(Signal::CONT);
    for client in &mut clients {
        client.expect("NAME OK").await;
        client.expect("WELCOME").await;
    }
    drop(clients);
    stop(server);
}

/// Lines that wait for the rate limit must not hide a reset. At 200 lines per second, they would take half an hour.
#[tokio::test]
async fn a_reset_behind_many_empty_lines_is_noticed_soon() {
    let (server, address) = start_on_free_port(&[]);
    let mut witness = Peer::tcp(address).await.join("witness").await;
    let mut guest = TcpStream::connect(address).await.unwrap();
    guest.write_all(b"hello\r\n").await.unwrap();
    guest.write_all(&b"\r\n".repeat(400_000)).await.unwrap();
    witness.expect("JOIN guest1").await;
    witness.expect("FROM guest1 MSG hello").await;
    reset(&guest);
    drop(guest);
    witness.expect("LOGOUT guest1").await;
    drop(witness);
    stop(server);
}
