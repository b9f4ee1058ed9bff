//! Shows each line of a conversation between ann, bob and a user of netcat. The program ends by itself.
//!
//! `cargo run --example demo`
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;

use chat_server::{ChatServer, Peer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

/// `name > line`: the client sends this line. `name < line`: the client must receive this line. A client connects when it
/// first sends.
const SCRIPT: &str = "\
ann > PROT 0.1 CONNECT USER ann
ann < NAME OK
ann < WELCOME

# the server asks bob for a name; the first one is taken, whatever its case
bob > PROT 0.1 CONNECT NEW
bob < NAME REQ
bob > NAME Ann
bob < NAME FAILURE
bob < NAME REQ
bob > NAME bob
bob < NAME OK
bob < WELCOME
ann < JOIN bob

# netcat needs no verbs: a line is a message
nc > hello from netcat
nc < OK
ann < JOIN guest1
ann < FROM guest1 MSG hello from netcat
bob < JOIN guest1
bob < FROM guest1 MSG hello from netcat

# each message gives an OK to its sender and a FROM to everybody else; a bad line reaches nobody
bob > MSG salut, ça va ?
bob < OK
ann < FROM bob MSG salut, ça va ?
nc < FROM bob MSG salut, ça va ?
bob > msg hello
bob < BAD REQ

nc > BYE
nc < BYE
ann < LOGOUT guest1
bob < LOGOUT guest1";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = ChatServer::builder().build();
    let mut clients = BTreeMap::<&str, BufReader<DuplexStream>>::new();
    for step in SCRIPT.lines() {
        if let Some((name, line)) = step.split_once(" > ") {
            let client = clients.entry(name).or_insert_with(|| {
                let (ours, theirs) = duplex(1024);
                server.attach(theirs, Peer::labelled(name));
                BufReader::new(ours)
            });
            client.write_all(format!("{line}\n").as_bytes()).await?;
        } else if let Some((name, expected)) = step.split_once(" < ") {
            let client = clients.get_mut(name).ok_or("a client must send first")?;
            let mut line = String::new();
            client.read_line(&mut line).await?;
            if line.trim_end() != expected {
                return Err(format!("{name} received {line:?} instead of {expected:?}").into());
            }
        }
        println!("{step}");
    }
    println!("\n# the server stops");
    let farewell = async {
        for (name, client) in clients {
            let mut lines = client.lines();
            while let Ok(Some(line)) = lines.next_line().await {
                println!("{name} < {line}");
            }
        }
    };
    let (report, ()) = tokio::join!(server.shutdown(), farewell);
    // Do not print `report.drained`: the connection of nc may be counted or not.
    println!("\nthe server has stopped: {} cut", report.cut);
    Ok(())
}
