//! The command `chat-conform client`.

use super::{Exit, args::Client, output};
use crate::{ClientOptions, Command, Side, judge_client};

pub(super) async fn run(args: &Client) -> Result<Exit, String> {
    let judge = &args.judge;
    let suite = output::suite(judge)?;
    let cases = output::selected(&suite, Side::Client, judge);
    if judge.list {
        output::list(&suite, &cases, judge);
        return Ok(Exit::Passed);
    }
    let known = output::expected_failures(&suite, Side::Client, judge)?;
    let command = Command::new(args.command.clone());
    let options =
        ClientOptions { line: judge.timeout, person: args.wait, verbose: judge.verbose, fail_fast: judge.fail_fast };
    let on_case = |case: &crate::CaseReport| {
        if !judge.json {
            output::line(&case.to_string());
        }
    };
    let report =
        judge_client(&args.listen, command.as_ref(), &cases, options, &known, on_case, output::error_line).await;
    output::write_report(&report.map_err(|error| error.to_string())?, judge)
}
