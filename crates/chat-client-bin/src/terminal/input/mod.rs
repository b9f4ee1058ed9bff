//! From keys to what a person enters: the draft, its history, and completions. No I/O, except for the history's file.

mod ask_paste;
mod command;
mod completion;
mod draft;
mod editor;
mod history;
mod history_file;
mod key;
mod key_decoder;
mod search;

pub(super) use command::{Command, HELP};
pub(super) use completion::Completions;
pub(super) use editor::{Editor, EditorEvent, Entered};
pub(super) use history::History;
pub(super) use key::Key;
pub(super) use key_decoder::KeyDecoder;
