//! A gateway with user accounts. It authenticates a user by a token, and attaches the user to the connection. The policy
//! lets each user join under their own name only. The program ends by itself.
//!
//! `cargo run --example auth`
#![allow(clippy::print_stdout)]

use std::{collections::HashMap, sync::Arc, time::Duration};

use chat_server::{Admission, ChatServer, Login, Peer, Policy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The user of a connection, whom the gateway has authenticated.
struct User(&'static str);

/// The user of each token. It stands for a database, so a lookup takes time.
struct Accounts(HashMap<&'static str, &'static str>);

impl Accounts {
    async fn user(&self, token: &str) -> Option<User> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.0.get(token).copied().map(User)
    }

    async fn may_chat(&self, user: &User) -> bool {
        tokio::time::sleep(Duration::from_millis(1)).await;
        user.0 != "mallory"
    }
}

impl Policy for Accounts {
    async fn admit(&self, login: Login) -> Admission {
        match login.peer().data::<User>() {
            Some(user) if login.name().is_some_and(|name| name.as_str() == user.0) => {
                if self.may_chat(user).await {
                    Admission::Admit
                } else {
                    Admission::Close
                }
            }
            _ => Admission::RefuseName,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let accounts = Arc::new(Accounts([("t1", "ann"), ("t2", "mallory")].into()));
    let server = ChatServer::builder().policy(Arc::clone(&accounts)).build();
    for (token, name) in [("t1", "ann"), ("t1", "bob"), ("t2", "mallory"), ("t3", "eve")] {
        let Some(user) = accounts.user(token).await else {
            println!("{name}: no such token");
            continue;
        };
        let (mut client, stream) = tokio::io::duplex(1024);
        server.attach(stream, Peer::labelled("gateway").with_data(user));
        client.write_all(format!("PROT 0.1 CONNECT USER {name}\n").as_bytes()).await?;
        client.shutdown().await?;
        let mut answer = String::new();
        client.read_to_string(&mut answer).await?;
        println!("{name}: {}", answer.lines().collect::<Vec<_>>().join(", "));
    }
    Ok(())
}
