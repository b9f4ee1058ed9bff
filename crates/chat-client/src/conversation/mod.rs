//! A conversation: lines that a person types or a script pipes in, and the events of the chat room.
//!
//! [`talk`] runs it. [`inputs`] parses the lines, [`render`] turns events into lines, and a [`Screen`] writes them.

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
