//! The command `chat-conform class`.

use std::{fs::OpenOptions, io::Write, path::Path};

use super::{Exit, args::Class, output};
use crate::{
    Select, Suite,
    class::{self, History, StudentResult},
};

pub(super) async fn run(args: &Class) -> Result<Exit, String> {
    let rows = class::read(&output::read_file(&args.table)?)
        .map_err(|problem| format!("{}: {problem}", args.table.display()))?;
    if rows.is_empty() {
        return Err(format!("{}: the table has no servers", args.table.display()));
    }
    let suite = Suite::embedded().map_err(|error| error.to_string())?;
    let scored = class::judge(rows, suite, Select::new(None, args.level), args.timeout).await;
    let history = match &args.history {
        Some(path) => with_history(path, &scored)?,
        None => History::default(),
    };
    let table = class::csv(&scored);
    match &args.csv {
        Some(path) => output::write_file(path, &table)?,
        None => output::line(table.trim_end()),
    }
    if let Some(path) = &args.html {
        output::write_file(path, &class::page(&scored, &history))?;
    }
    let all_passed = scored.iter().all(|student| student.report.as_ref().is_ok_and(|report| report.passed(false)));
    Ok(if all_passed { Exit::Passed } else { Exit::Failed })
}

/// Reads the history, and appends this run to its file. The file need not exist.
fn with_history(path: &Path, scored: &[StudentResult]) -> Result<History, String> {
    let text = if path.exists() { output::read_file(path)? } else { String::new() };
    let mut history = History::read(&text).map_err(|problem| format!("{}: {problem}", path.display()))?;
    let line = history.add(scored);
    let file = OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| writeln!(file, "{line}"));
    written.map_err(|error| format!("cannot write {}: {error}: name a file in an existing folder", path.display()))?;
    Ok(history)
}
