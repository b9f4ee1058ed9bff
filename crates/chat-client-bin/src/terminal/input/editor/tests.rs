//! Tests of what keys do.

use super::*;
use crate::terminal::input::KeyDecoder;

/// Presses keys, given as a terminal sends them. Checks the event of the last key, and what is shown then.
#[track_caller]
fn check(editor: &mut Editor, keys: &str, event: &[EditorEvent], shown: &str) {
    let mut completions = Completions::default();
    completions.update(&chat_client::Event::roster(vec!["al".parse().unwrap(), "Alice".parse().unwrap()]));
    let mut last = None;
    for key in KeyDecoder::default().decode(keys.as_bytes()) {
        last = editor.press(key, &completions);
        if let Some(EditorEvent::Entered(entered)) = &last {
            editor.remember(entered);
        }
    }
    assert_eq!(last.as_slice(), event);
    let (prompt, text, _) = editor.view("> ");
    assert_eq!(format!("{prompt}{text}"), shown);
}

fn entered(text: &str, is_verbatim: bool) -> EditorEvent {
    EditorEvent::Entered(Entered { text: text.to_owned(), is_verbatim })
}

#[test]
fn ctrl_c_and_ctrl_d_act_on_an_empty_line_only() {
    let mut editor = Editor::default();
    check(&mut editor, "ab\x01\x04", &[], "> b");
    check(&mut editor, "\x03", &[], "> ");
    check(&mut editor, "\x03", &[EditorEvent::Interrupt], "> ");
    check(&mut editor, "\x04", &[EditorEvent::End], "> ");
}

#[test]
fn a_paste_is_text_also_when_it_is_recalled() {
    let mut editor = Editor::default();
    check(&mut editor, "\x1b[200~/quit\x1b[201~\r", &[entered("/quit", true)], "> ");
    check(&mut editor, "\x1b[A", &[], "> //quit");
    check(&mut editor, "\r", &[entered("//quit", false)], "> ");
    check(&mut editor, "\x1b[200~one\r/two\r\x1b[201~\r", &[entered("one\n/two", true)], "> ");
    check(&mut editor, "\x1b[A\r", &[entered("one\n/two", true)], "> ");
    check(&mut editor, "/name \x1b[200~bob\x1b[201~\r", &[entered("/name bob", false)], "> ");
}

#[test]
fn a_long_paste_is_asked_about() {
    let mut editor = Editor::default();
    let question = "send 4 lines as 4 messages? (y/n) ";
    check(&mut editor, "draft\x1b[200~a\rb\rc\rd\r\x1b[201~", &[], question);
    check(&mut editor, "\rx", &[], question);
    check(&mut editor, "n", &[], "> draft");
    check(&mut editor, "\x1b[200~a\rb\rc\rd\r\x1b[201~\x03", &[], "> draft");
    check(&mut editor, "\x1b[200~a\rb\rc\rd\r\x1b[201~y", &[entered("a\nb\nc\nd\n", true)], "> draft");
}

#[test]
fn tab_completes_and_does_nothing_without_a_match() {
    let mut editor = Editor::default();
    check(&mut editor, "a\t", &[], "> al: ");
    check(&mut editor, "\t", &[], "> Alice: ");
    check(&mut editor, "zz\t", &[], "> Alice: zz");
    check(&mut editor, "\x15zz\t", &[], "> zz");
    check(&mut editor, "\x15\t", &[], "> ");
}

#[test]
fn ctrl_r_searches_the_history() {
    let mut editor = Editor::default();
    check(&mut editor, "one two\rtwo\rthree\r", &[entered("three", false)], "> ");
    check(&mut editor, "dr\x12tw", &[], "> (search: tw) two");
    check(&mut editor, "\x12", &[], "> (search: tw) one two");
    check(&mut editor, "\x12", &[], "> (search: tw) one two");
    check(&mut editor, "q", &[], "> (not found: search: twq) ");
    check(&mut editor, "\x03", &[], "> dr");
    check(&mut editor, "\x12one\x05!", &[], "> one two!");
    check(&mut editor, "\x03\x12thr\r", &[entered("three", false)], "> ");
}

#[test]
fn what_could_not_be_sent_is_before_what_was_typed_since() {
    let mut editor = Editor::default();
    check(&mut editor, "one\r", &[entered("one", false)], "> ");
    editor.restore(&Entered { text: "one".to_owned(), is_verbatim: false });
    check(&mut editor, "", &[], "> one");
    editor.restore(&Entered { text: "two".to_owned(), is_verbatim: false });
    check(&mut editor, "\r", &[entered("two\none", true)], "> ");
}
