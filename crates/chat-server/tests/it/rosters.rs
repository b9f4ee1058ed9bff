//! The memory of rosters that clients request and do not read.

use std::{fs, process::Command, thread};

use chat_server::{ChatServer, LocalClient, Peer as ServerPeer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::support::unlimited;

const CLIENTS: usize = 10_000;
/// The bound that `ARCHITECTURE.md` states for each client of a room of this size.
const BYTES_PER_CLIENT: usize = 9_000;

/// Each client has a roster in its writer and one in its reply queue. All of them differ, because a client joins or
/// leaves between any two requests.
#[test]
fn rosters_that_ten_thousand_clients_never_read_are_bounded() {
    // Two processes, because other tests use memory in this one. They run in parallel.
    let processes = ["quiet", "asking"].map(|clients| thread::spawn(|| resident_bytes_with(clients)));
    let [quiet, asking] = processes.map(|process| process.join().unwrap());
    let held = asking.saturating_sub(quiet);
    println!("{CLIENTS} clients that ask and never read: {held} bytes, {} each", held / CLIENTS);
    assert!(held <= CLIENTS * BYTES_PER_CLIENT, "{held} bytes of {}", CLIENTS * BYTES_PER_CLIENT);
    // If the clients held no rosters, the test would prove nothing.
    assert!(held > CLIENTS * 1_000, "{held} bytes");
}

fn resident_bytes_with(clients: &str) -> usize {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "rosters::resident_memory_of_one_server", "--ignored", "--nocapture"])
        .env("ROSTER_CLIENTS", clients);
    let output = command.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let resident = stdout.lines().find_map(|line| line.split_once("resident: ")?.1.parse().ok());
    resident.unwrap_or_else(|| panic!("{stdout}{}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test]
#[ignore = "the test above runs this in a process of its own"]
async fn resident_memory_of_one_server() {
    let ask = std::env::var("ROSTER_CLIENTS").is_ok_and(|clients| clients == "asking");
    let server = unlimited().max_clients(None).ping_interval(None).write_timeout(None).build();
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        let mut client = join(&server, n).await;
        if ask {
            request_roster(&mut client).await;
        }
        clients.push(client);
    }
    let mut other: Option<LocalClient> = None;
    for client in &mut clients {
        if ask {
            request_roster(client).await;
        }
        // The next client gets a different roster.
        other = match other {
            None => Some(server.local("other").await.unwrap()),
            Some(other) => {
                other.leave();
                None
            }
        };
    }
    assert!(server.stats().clients >= CLIENTS);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: usize = resident.trim().trim_end_matches(" kB").parse().unwrap();
    println!("\nresident: {}", kib * 1_024);
}

/// Joins over a pipe that holds the lines of the login, but no roster.
async fn join(server: &ChatServer, n: usize) -> DuplexStream {
    let (mut client, theirs) = tokio::io::duplex(64);
    server.attach(theirs, ServerPeer::labelled("test"));
    client.write_all(format!("PROT 0.1 CONNECT USER client{n:014}\r\n").as_bytes()).await.unwrap();
    client.read_exact(&mut [0; "NAME OK\r\nWELCOME\r\n".len()]).await.unwrap();
    client
}

async fn request_roster(client: &mut DuplexStream) {
    client.write_all(b"REQ CLIENTS\r\n").await.unwrap();
    // Let the reader, the hub and the writer run.
    for _ in 0..6 {
        tokio::task::yield_now().await;
    }
}
