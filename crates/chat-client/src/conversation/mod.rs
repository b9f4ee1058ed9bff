//! A conversation: lines that a person types or a script pipes in, and the events of the chat room.
//!
//! [`talk`] runs it, and has an example. [`inputs`] parses the lines, [`render`] turns events into lines, and a [`Screen`] writes
//! them.
//!
//! | to | use |
//! |---|---|
//! | run a conversation until its input or its session ends | [`talk`] |
//! | read commands and messages from a stream of bytes | [`inputs`] |
//! | read lines of another notation | [`input_lines`] |
//! | show events in another form | [`Screen::format`] |
//! | learn what became of the messages | [`ConversationReport`] |

mod command;
mod input;
mod pending;
mod render;
mod report;
mod screen;
mod talk;

pub use command::Input;
pub use input::{InputError, input_lines, inputs};
pub use render::{Line, render};
pub use report::ConversationReport;
pub use screen::Screen;
pub use talk::talk;
