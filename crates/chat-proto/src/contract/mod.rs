//! Reads `protocole.md`: its numbered clauses, its vectors (Annex C) and its dialogues (Annex B).
//!
//! It knows the document and nothing of this crate's parser, so that one can judge the other.

mod dialogues;
mod guests;
mod quoted;
mod vectors;

use std::{error, fmt};

pub use self::{
    dialogues::{Action, Dialogue, Level, Step, step},
    guests::Guests,
    vectors::{Context, Meaning, Vector},
};

/// The content of `protocole.md`, in its order.
///
/// ```
/// use chat_proto::contract::{Contract, Meaning};
///
/// let document = "**3.7** `PING` is answered `PONG`.\n\n```vectors named\n\"PING\" => ping\n```\n";
/// let contract = Contract::parse(document)?;
/// assert!(contract.clause("3.7").is_some_and(|clause| clause.at == 1));
/// let vector = &contract.vectors()[0];
/// assert_eq!(vector.line, b"PING");
/// assert!(matches!(&vector.meaning, Meaning::Says { word, .. } if word == "ping"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Contract {
    clauses: Vec<Clause>,
    vectors: Vec<Vector>,
    dialogues: Vec<Dialogue>,
}

/// One numbered clause.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Clause {
    /// Its number, such as `1.3`.
    pub number: String,
    /// Its wording as Markdown, up to the next clause or heading.
    pub text: String,
    /// The line of the document, from 1.
    pub at: usize,
}

/// Why the document cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContractError {
    at: usize,
    problem: String,
}

/// A string, a step or a level that does not follow the notation of the annexes. Its `Display` is a sentence that says what is
/// wrong.
///
/// ```
/// let error = chat_proto::contract::quoted("hi").unwrap_err();
/// assert_eq!(error.to_string(), "a string in quotes is wanted, not `hi`");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotationError(String);

/// A fenced block: its info string, and its lines with their numbers.
struct Block<'a> {
    info: &'a str,
    at: usize,
    lines: Vec<(usize, &'a str)>,
}

impl Contract {
    /// Parses the text of `protocole.md`.
    ///
    /// # Errors
    /// [`ContractError`] names the line that breaks the document's own rules (Annexes B and C).
    pub fn parse(text: &str) -> Result<Self, ContractError> {
        let mut contract = Self::default();
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let mut in_clause = false;
        while let Some((at, line)) = lines.next() {
            if let Some(info) = line.strip_prefix("```") {
                in_clause = false;
                let mut block = Block { info: info.trim(), at, lines: Vec::new() };
                loop {
                    match lines.next() {
                        Some((_, "```")) => break,
                        Some(line) => block.lines.push(line),
                        None => return Err(ContractError::new(at, "this block is never closed")),
                    }
                }
                contract.block(&block)?;
            } else if let Some((number, text)) = clause(line) {
                if contract.has_clause(number) {
                    return Err(ContractError::new(at, format!("there are two clauses {number}")));
                }
                contract.clauses.push(Clause { number: number.to_owned(), text: text.to_owned(), at });
                in_clause = true;
            } else if line.starts_with('#') {
                in_clause = false;
            } else if in_clause && let Some(clause) = contract.clauses.last_mut() {
                clause.text.push('\n');
                clause.text.push_str(line);
            }
        }
        for clause in &mut contract.clauses {
            clause.text.truncate(clause.text.trim_end().len());
        }
        Ok(contract)
    }

    fn block(&mut self, block: &Block<'_>) -> Result<(), ContractError> {
        let mut info = block.info.split_whitespace();
        match info.next() {
            Some("vectors") => self.vectors.append(&mut vectors::read(block)?),
            Some("dialogue") => {
                let dialogue = dialogues::read(block)?;
                if self.dialogues.iter().any(|other| other.name == dialogue.name) {
                    return Err(ContractError::new(block.at, format!("there are two dialogues {}", dialogue.name)));
                }
                self.dialogues.push(dialogue);
            }
            _ => {}
        }
        Ok(())
    }

    /// All clauses.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// The clause of this number, such as `"1.3"`.
    pub fn clause(&self, number: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.number == number)
    }

    /// Whether there is a clause of this number.
    pub fn has_clause(&self, number: &str) -> bool {
        self.clause(number).is_some()
    }

    /// All vectors.
    pub fn vectors(&self) -> &[Vector] {
        &self.vectors
    }

    /// All dialogues.
    pub fn dialogues(&self) -> &[Dialogue] {
        &self.dialogues
    }
}

/// Parses the quoted strings of the annexes.
///
/// # Errors
/// [`NotationError`] says what is wrong with the string.
///
/// ```
/// assert_eq!(chat_proto::contract::quoted(r#""MSG " + "a"*3 + "\n""#), Ok(b"MSG aaa\n".to_vec()));
/// ```
pub fn quoted(text: &str) -> Result<Vec<u8>, NotationError> {
    quoted::whole(text).map_err(NotationError)
}

/// The number and the first words, if a clause starts here: `**1.3** A line is …`.
fn clause(line: &str) -> Option<(&str, &str)> {
    let (number, text) = line.strip_prefix("**")?.split_once("** ")?;
    is_clause_number(number).then_some((number, text))
}

fn is_clause_number(number: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    number.split_once('.').is_some_and(|(section, clause)| digits(section) && digits(clause))
}

impl ContractError {
    fn new(at: usize, problem: impl Into<String>) -> Self {
        Self { at, problem: problem.into() }
    }

    /// The line of the document, from 1.
    pub fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.at, self.problem)
    }
}

impl error::Error for ContractError {}

impl fmt::Display for NotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for NotationError {}

/// The sentence.
impl From<NotationError> for String {
    fn from(error: NotationError) -> Self {
        error.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, why: &str) {
        assert_eq!(Contract::parse(text).unwrap_err().to_string(), why);
    }

    #[test]
    fn clauses_end_at_the_next_one_or_at_a_heading() {
        let text = "# T\n\n**1.1** one\nmore\n\n**1.2** two\n\n| a |\n\n## H\nno **1.3** here\n**bold** too\n";
        let contract = Contract::parse(text).unwrap();
        let told: Vec<_> = contract.clauses().iter().map(|c| (c.number.as_str(), c.text.as_str(), c.at)).collect();
        assert_eq!(told, [("1.1", "one\nmore", 3), ("1.2", "two\n\n| a |", 6)]);
        assert!(contract.has_clause("1.2") && !contract.has_clause("1.3"));
    }

    #[test]
    fn blocks_of_other_kinds_are_passed_over() {
        let contract = Contract::parse("```abnf\n**1.1** no clause\n```\n```\nnor this\n```\n").unwrap();
        assert!(contract.clauses().is_empty() && contract.vectors().is_empty() && contract.dialogues().is_empty());
    }

    #[test]
    fn errors_name_the_line() {
        refused("**1.1** a\n**1.1** b\n", "line 2: there are two clauses 1.1");
        refused("\n```vectors first\n", "line 2: this block is never closed");
        refused("```vectors last\n```", "line 1: `last` is no context: first, named, plain or server");
        let dialogue = "```dialogue a plain\nA> hi\n```\n";
        refused(&dialogue.repeat(2), "line 4: there are two dialogues a");
    }
}
