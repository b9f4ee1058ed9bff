//! The command `chat-conform server`.

use super::{Exit, args::Server, output};
use crate::{Side, judge_server};

pub(super) async fn run(args: &Server) -> Result<Exit, String> {
    let judge = &args.judge;
    let suite = output::suite(judge)?;
    let cases = output::selected(&suite, Side::Server, judge);
    let Some(target) = args.target.as_deref().filter(|_| !judge.list) else {
        output::list(&cases);
        return Ok(Exit::Passed);
    };
    let known = output::expected_failures(&suite, Side::Server, judge)?;
    let report = judge_server(target, &cases, judge.timeout, &known, |case| {
        if !judge.json {
            output::line(&case.to_string());
        }
    });
    let report = report.await.map_err(|error| error.to_string())?;
    output::write_report(&report, judge)
}
