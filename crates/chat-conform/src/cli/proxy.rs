//! `chat-conform proxy`.

use std::{fs::File, io::Write, path::Path, time::Duration};

use tokio::net::TcpListener;

use super::{Exit, args::Proxy, output};
use crate::{
    proxy::{self, Listener, Saved, Shape},
    text_file,
};

/// Room for the heading of what is saved.
const HEADING: usize = 1_024;

pub(super) async fn run(args: &Proxy) -> Result<Exit, String> {
    let (listen, to) = (here(&args.listen), here(&args.to));
    let listener = TcpListener::bind(&listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}: give another with --listen, as in :3333"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let out = Out { file: args.save.as_deref().map(begin).transpose()?, left: text_file::MOST_READ - HEADING };
    output::line(&format!("listening on {address}"));
    let shape = Shape::new(args.split, Duration::from_millis(args.delay), Duration::from_millis(args.coalesce));
    tokio::select! {
        ended = proxy::run(listener, &to, shape, args.connections, out) => ended.map_err(|error| error.to_string())?,
        // Interrupted, it has done what it is for.
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(Exit::Passed)
}

/// `:PORT` is on this machine.
fn here(address: &str) -> String {
    if address.starts_with(':') { format!("127.0.0.1{address}") } else { address.to_owned() }
}

fn begin(path: &Path) -> Result<File, String> {
    let name: String = path.file_stem().unwrap_or_default().to_string_lossy().chars().map(dashed).collect();
    let file = File::create(path).and_then(|mut file| {
        file.write_all(Saved::heading(&format!("saved-{name}")).as_bytes())?;
        Ok(file)
    });
    file.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn dashed(c: char) -> char {
    if c.is_ascii_alphanumeric() { c } else { '-' }
}

struct Out {
    file: Option<File>,
    /// So many more bytes are saved: a conversation may last, and what is saved is to be read again.
    left: usize,
}

impl Listener for Out {
    fn tell(&mut self, line: &str) {
        output::line(line);
    }

    fn keep(&mut self, step: &str) {
        let Some(file) = &mut self.file else { return };
        let saved = match self.left.checked_sub(step.len() + 1) {
            Some(left) => {
                self.left = left;
                writeln!(file, "{step}").map_err(|error| error.to_string())
            }
            None => Err("the file is as large as a case may be".to_owned()),
        };
        if let Err(why) = saved {
            output::complain(&format!("what is seen is no longer saved: {why}"));
            self.file = None;
        }
    }
}
