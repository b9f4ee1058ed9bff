//! One chat room as pure functions: no I/O, no clock, no runtime.
//!
//! A [`Room`] places messages, joins and leaves in one total order (section 5 of `protocole.md`). Everything placed
//! between two calls of [`Room::take_batch`] becomes one [`Batch`]: lines that are encoded once and shared by all members.
//! [`Batch::view`] returns the bytes for one member: the shared lines, with `OK` in place of its own messages.
//!
//! ```
//! use bytes::Buf;
//! use chat_proto::{Terminator, Text};
//! use chat_room::{ConnId, JoinAs, Pieces, Room};
//!
//! let (ann, bob) = (ConnId::new(1), ConnId::new(2));
//! let mut room = Room::default();
//! room.join(ann, JoinAs::Name("ann".parse()?))?;
//! room.join(bob, JoinAs::Name("bob".parse()?))?;
//! room.say(ann, Text::new("hello")?);
//! let batch = std::sync::Arc::new(room.take_batch().expect("something was placed"));
//!
//! let view = |conn| {
//!     let mut pieces = Pieces::default();
//!     batch.view(conn, &[], Terminator::Lf, &mut pieces);
//!     String::from_utf8(pieces.copy_to_bytes(pieces.remaining()).to_vec())
//! };
//! assert_eq!(view(ann)?, "NAME OK\nWELCOME\nJOIN bob\nOK\n");
//! assert_eq!(view(bob)?, "NAME OK\nWELCOME\nFROM ann MSG hello\n");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | place messages, joins and leaves | [`Room`] |
//! | send a batch to a member | [`Batch::view`], [`Pieces`] |
//! | reply to one member | [`Room::reply`], [`Reply`] |

mod batch;
mod conn_id;
mod listing;
mod pieces;
mod reply;
mod room;
mod roster;

pub use batch::{Batch, Position, View, encode};
pub use conn_id::ConnId;
pub use pieces::Pieces;
pub use reply::{Reply, Request};
pub use room::{Farewell, JoinAs, NameTaken, Room};
