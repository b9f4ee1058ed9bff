//! A policy: some names are reserved, and some words are forbidden.
//!
//! `cargo run --example policy`, then `nc localhost PORT`. Ctrl-C stops the server.
#![allow(clippy::print_stdout)]

use std::collections::HashSet;

use chat_server::{Admission, ChatServer, Login, Message, Policy, Verdict};
use tokio::net::TcpListener;

struct HouseRules {
    reserved_names: HashSet<&'static str>,
    forbidden_words: HashSet<&'static str>,
}

impl Policy for HouseRules {
    /// A client with a reserved name must be on this machine.
    async fn admit(&self, login: Login) -> Admission {
        let reserved =
            login.name().is_some_and(|name| self.reserved_names.contains(name.as_str().to_ascii_lowercase().as_str()));
        let is_local = login.peer().address().is_some_and(|address| address.ip().is_loopback());
        if reserved && !is_local { Admission::RefuseName } else { Admission::Admit }
    }

    /// Refuses a message that contains a forbidden word.
    fn message(&self, message: &Message<'_>) -> Verdict {
        let mut words = message.text().as_str().split(|c: char| !c.is_alphanumeric());
        if words.any(|word| self.forbidden_words.contains(word.to_lowercase().as_str())) {
            return Verdict::Refuse;
        }
        Verdict::Deliver
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let rules = HouseRules { reserved_names: ["admin", "root"].into(), forbidden_words: ["dunce", "oaf"].into() };
    let server = ChatServer::builder().policy(rules).build();

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    server.serve(listener).with_graceful_shutdown(stop).await;
    Ok(())
}
