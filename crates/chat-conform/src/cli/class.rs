//! The command `chat-conform class`.

use super::{Exit, args::Class, output};
use crate::{Select, Suite, class};

pub(super) async fn run(args: &Class) -> Result<Exit, String> {
    let rows = class::read(&output::read_file(&args.table)?)
        .map_err(|problem| format!("{}: {problem}", args.table.display()))?;
    if rows.is_empty() {
        return Err(format!("{}: the table has no servers", args.table.display()));
    }
    let suite = Suite::embedded().map_err(|error| error.to_string())?;
    let scored = class::judge(rows, suite, Select::new(None, args.level), args.timeout).await;
    let table = class::csv(&scored);
    match &args.csv {
        Some(path) => output::write_file(path, &table)?,
        None => output::line(table.trim_end()),
    }
    if let Some(path) = &args.html {
        output::write_file(path, &class::page(&scored))?;
    }
    let all_passed = scored.iter().all(|student| student.report.as_ref().is_ok_and(|report| report.passed(false)));
    Ok(if all_passed { Exit::Passed } else { Exit::Failed })
}
