//! What holds for chat-proto as a whole: the vectors of `protocole.md`, and properties over arbitrary bytes.

mod properties;
mod vectors;
