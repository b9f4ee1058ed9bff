//! Guides for common ways to embed the server.
//!
//! | page | answers |
//! |---|---|
//! | [`axum`] | How do a web app and the chat share one program? |
//! | [`websocket`] | How do browsers take part? |
//! | [`tls`] | How are connections encrypted? |
//! | [`authentication`] | How do I decide who may have which name? |
//! | [`rooms`] | How do I run more than one room? |
//! | [`storage`] | How do I keep messages, and show them to newcomers? |
//! | [`testing`] | How do I test the program that embeds the server? |
//!
//! The modules are empty, and exist in the documentation only. The whole programs of the pages are in the repository, in
//! `crates/chat-server/examples` and `crates/chat-examples/examples`. Tests run all of them.

#[doc = include_str!("authentication.md")]
pub mod authentication {}

#[doc = include_str!("axum.md")]
pub mod axum {}

#[doc = include_str!("rooms.md")]
pub mod rooms {}

#[doc = include_str!("storage.md")]
pub mod storage {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("tls.md")]
pub mod tls {}

#[doc = include_str!("websocket.md")]
pub mod websocket {}
