//! A conversation: lines that a person types or a script pipes in, and the events of the chat room.
//!
//! [`talk`] runs it, and has an example. [`inputs`] or [`texts`] reads the lines, [`render`] turns events into lines, and a
//! [`Screen`] writes them.
//!
//! | to | use |
//! |---|---|
//! | run a conversation until its input or its last session ends | [`talk`] |
//! | read messages from a stream of bytes | [`texts`] |
//! | read commands and messages from a stream of bytes | [`inputs`] |
//! | tell commands from texts | [`TypedLine`] |
//! | read lines in a format of your own, such as JSON | [`input_lines`] |
//! | show events in another form | [`Screen::format`] |
//! | learn what became of the messages | [`ConversationReport`] |

mod command;
mod handlers;
mod input;
mod outgoing;
mod render;
mod report;
mod screen;
mod talk;
mod typed_line;
mod unsent;

pub use command::Input;
pub use input::{InputError, input_lines, inputs, texts};
pub use render::{Line, render, render_session};
pub use report::{ConversationEnd, ConversationReport};
pub use screen::{Lines, Screen};
pub use talk::talk;
pub use typed_line::TypedLine;
