//! The command `chat-conform server`.

use super::{Exit, args::Server, output};
use crate::{ServerOptions, Settings, Side, judge_server_with};

pub(super) async fn run(args: &Server) -> Result<Exit, String> {
    let judge = &args.judge;
    let suite = output::suite(judge)?;
    let cases = suite.select(Side::Server, &output::select(judge).without_plain(args.no_plain));
    let Some(target) = args.target.as_deref().filter(|_| !judge.list) else {
        output::list(&suite, &cases, judge);
        return Ok(Exit::Passed);
    };
    let known = output::expected_failures(&suite, Side::Server, judge)?;
    let mut options = ServerOptions::new(judge.timeout);
    options.fail_fast = judge.fail_fast;
    options.verbose = judge.verbose;
    options.settings = Settings {
        login_deadline: args.login_deadline,
        ping_after: args.ping_after,
        pong_within: args.pong_within,
        max_stall: args.max_stall,
    };
    let target = output::with_default_host(target);
    let report = judge_server_with(&target, &cases, options, &known, |case| {
        if !judge.json {
            output::line(&case.to_string());
        }
    });
    let report = report.await.map_err(|error| error.to_string())?;
    output::write_report(&report, judge)
}
