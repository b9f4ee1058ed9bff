//! What holds for chat-proto as a whole: `protocole.md` in step with the code, its vectors, and properties over arbitrary bytes.

mod citations;
mod contract;
mod corpus;
mod properties;
mod readme;
mod vectors;
