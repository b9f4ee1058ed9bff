//! What holds for chat-proto as a whole: the vectors of `protocole.md`, and properties over arbitrary bytes.

mod corpus;
mod properties;
mod readme;
mod vectors;
