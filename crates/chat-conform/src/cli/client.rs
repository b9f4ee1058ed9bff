//! `chat-conform client`.

use super::{Exit, args::Client, output};
use crate::{Command, Patience, Side, judge_client};

pub(super) async fn run(args: &Client) -> Result<Exit, String> {
    let judge = &args.judge;
    let suite = output::suite(judge)?;
    let cases = output::selected(&suite, Side::Client, judge);
    if judge.list {
        output::list(&cases);
        return Ok(Exit::Passed);
    }
    let known = output::known(&suite, Side::Client, judge)?;
    let command = Command::new(args.command.clone());
    let patience = Patience { line: judge.timeout, person: args.wait };
    let told = |judged: &crate::Judged| {
        if !judge.json {
            output::line(&judged.to_string());
        }
    };
    let report = judge_client(&args.listen, command.as_ref(), &cases, patience, &known, told, output::complain).await;
    output::hand_out(&report.map_err(|error| error.to_string())?, judge)
}
