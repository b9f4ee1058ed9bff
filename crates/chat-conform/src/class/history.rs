//! The scores of earlier runs, in a file that each run appends to: one line of JSON for each run.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::{StudentResult, table::LEVELS};

/// The runs so far, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    runs: Vec<Run>,
}

/// The scores of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Run {
    /// Seconds since 1970.
    time: u64,
    /// For each student how many MUST cases passed, and how many were played.
    scores: BTreeMap<String, (usize, usize)>,
}

impl History {
    /// Reads the file's text.
    ///
    /// # Errors
    ///
    /// A message with the number of the first line that is no run.
    pub fn read(text: &str) -> Result<Self, String> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let runs = lines.map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| format!("line {}: no run of a history: {error}", index + 1))
        });
        Ok(Self { runs: runs.collect::<Result<_, _>>()? })
    }

    /// Adds a run that has ended now. Returns its line for the file.
    pub fn add(&mut self, students: &[StudentResult]) -> String {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let run = Run { time, scores: students.iter().map(|student| (student.name.clone(), total(student))).collect() };
        let line = serde_json::to_string(&run).expect("strings and numbers always serialize");
        self.runs.push(run);
        line
    }

    /// The scores of this student, the oldest first, in percent. A run without the student is left out.
    pub(super) fn percents(&self, name: &str) -> Vec<usize> {
        let scores = self.runs.iter().filter_map(|run| run.scores.get(name));
        scores.map(|(passed, of)| if *of == 0 { 0 } else { passed * 100 / of }).collect()
    }
}

/// The MUST cases of all levels.
fn total(student: &StudentResult) -> (usize, usize) {
    let Ok(report) = &student.report else { return (0, 0) };
    let scores = LEVELS.into_iter().filter_map(|level| report.score(level));
    scores.fold((0, 0), |(passed, of), score| (passed + score.passed, of + score.of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_and_continued() {
        let mut history = History::read("{\"time\":1,\"scores\":{\"Ann\":[50,100],\"Bob\":[0,0]}}\n\n").unwrap();
        assert_eq!((history.percents("Ann"), history.percents("Bob")), (vec![50], vec![0]));
        let report = Err("closed".to_owned());
        let line = history.add(&[StudentResult { name: "Ann".to_owned(), address: "a:1".to_owned(), report }]);
        assert_eq!(history.percents("Ann"), [50, 0]);
        assert_eq!(History::read(&line).unwrap().percents("Ann"), [0]);
        assert!(History::read("\nhello\n").unwrap_err().starts_with("line 2: "));
    }
}
