//! What can be asked of the bench.

use std::{path::PathBuf, time::Duration};

use super::rows::{ROWS, Row};
use crate::Failure;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Options {
    quick: bool,
    pub(super) json: Option<PathBuf>,
    pub(super) plot: Option<PathBuf>,
    /// The rows that are wanted; all if there is none.
    rows: Vec<String>,
}

impl Options {
    pub(super) fn read(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut file = |what: &mut Option<PathBuf>| match arguments.next() {
                Some(path) => {
                    *what = Some(path.into());
                    Ok(())
                }
                None => Err(Failure::Usage(format!("`{argument}` wants a file"))),
            };
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--json" => file(&mut options.json)?,
                "--plot" => file(&mut options.plot)?,
                row if ROWS.iter().any(|known| known.name == row) => options.rows.push(row.to_owned()),
                other => {
                    let rows: Vec<_> = ROWS.iter().map(|row| row.name).collect();
                    return Err(Failure::Usage(format!("what is `{other}`? the rows are {}", rows.join(", "))));
                }
            }
        }
        Ok(options)
    }

    pub(super) fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|wanted| wanted == row)
    }

    /// How often each server is measured.
    pub(super) fn rounds(&self, row: &Row) -> usize {
        if self.quick { 1 } else { row.rounds }
    }

    /// How long each measurement lasts, where its length is a matter of choice.
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &[&str]) -> Result<Options, Failure> {
        Options::read(&typed.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        let options = read(&["--quick", "--json", "a.json", "fan-out"]).unwrap();
        assert!(options.quick && options.wants("fan-out") && !options.wants("room"));
        assert_eq!(options.json, Some("a.json".into()));
        assert!(read(&[]).unwrap().wants("room"));
        assert_eq!(read(&["--plot"]), Err(Failure::Usage("`--plot` wants a file".into())));
        assert!(matches!(read(&["fanout"]), Err(Failure::Usage(why)) if why.contains("fan-out, ")));
    }
}
