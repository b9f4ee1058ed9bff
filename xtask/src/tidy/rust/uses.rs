//! Which paths code uses: in `use` trees, in expressions, and the names of macros.

use std::collections::BTreeMap;

use super::{
    line_of,
    tokens::{Token, tokens},
};

/// A path that is used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::tidy) struct Use {
    /// From 1.
    pub(in crate::tidy) line: usize,
    /// In full, such as `tokio::net::TcpStream`, `crate::hub::state`, or `println!`.
    pub(in crate::tidy) path: String,
}

/// What the code of a module uses. `module` is its own path, such as `crate::hub::state`; the code holds neither strings
/// nor comments. Names that were brought in by `use` are given in full wherever they stand.
pub(in crate::tidy) fn uses(code: &str, module: &str) -> Vec<Use> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut expressions = Vec::new();
    let mut names = BTreeMap::new();
    let mut next = 0;
    while let Some(token) = tokens.get(next) {
        if is_use(&tokens, next) {
            let mut tree = UseTree { tokens: &tokens, next: next + 1, leaves: Vec::new() };
            tree.read(&[]);
            next = tree.next;
            for leaf in tree.leaves {
                let path = absolute(&leaf.path, module);
                names.insert(leaf.name, path.clone());
                found.push((leaf.at, path));
            }
        } else if token.is_word() && starts_path(&tokens, next) {
            let (path, after) = path(&tokens, next);
            next = after;
            // A single word is a name of this module, or one that a `use` has told of.
            if path.len() > 1 {
                expressions.push((token.at, path));
            }
        } else {
            next += 1;
        }
    }
    for (at, path) in expressions {
        let known = names.get(path[0]).map(|known| [&[known.as_str()][..], &path[1..]].concat().join("::"));
        found.push((at, known.unwrap_or_else(|| absolute(&path, module))));
    }
    let tidied = |(at, path): (usize, String)| Use { line: line_of(code, at), path: path.replace("::!", "!") };
    let mut uses: Vec<_> = found.into_iter().map(tidied).collect();
    uses.sort();
    uses.dedup();
    uses
}

/// `use` as an item, and not the `use<…>` of a type.
fn is_use(tokens: &[Token<'_>], at: usize) -> bool {
    tokens[at].text == "use" && tokens.get(at + 1).is_some_and(|next| next.is_word() || matches!(next.text, "::" | "{"))
}

/// Not so behind `.`, and behind `::` only if nothing comes before that.
fn starts_path(tokens: &[Token<'_>], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map(|at| tokens[at]);
    match before(1).map(|token| token.text) {
        Some("." | "'") => false,
        Some("::") => before(2).is_none_or(|token| !token.is_word() && token.text != ">"),
        _ => true,
    }
}

/// The segments of the path that starts here, with the `!` of a macro, and what comes after.
fn path<'a>(tokens: &[Token<'a>], start: usize) -> (Vec<&'a str>, usize) {
    let text = |at: usize| tokens.get(at).map(|token| token.text);
    let mut segments = vec![tokens[start].text];
    let mut next = start + 1;
    while text(next) == Some("::") && tokens.get(next + 1).is_some_and(Token::is_word) {
        segments.push(tokens[next + 1].text);
        next += 2;
    }
    if text(next) == Some("!") && text(next + 1) != Some("=") {
        segments.push("!");
    }
    (segments, next)
}

/// Resolves `self` and `super`.
fn absolute(path: &[&str], module: &str) -> String {
    let mut base: Vec<&str> = module.split("::").collect();
    let mut rest = path;
    let mut relative = false;
    while let Some((&first, after)) = rest.split_first() {
        match first {
            "self" => {}
            "super" => drop(base.pop()),
            _ => break,
        }
        (relative, rest) = (true, after);
    }
    let segments = if relative { [&base[..], rest].concat() } else { rest.to_vec() };
    segments.join("::")
}

struct Leaf<'a> {
    at: usize,
    /// The name that it brings in.
    name: &'a str,
    path: Vec<&'a str>,
}

struct UseTree<'a, 't> {
    tokens: &'t [Token<'a>],
    next: usize,
    leaves: Vec<Leaf<'a>>,
}

impl<'a> UseTree<'a, '_> {
    fn peek(&self) -> &'a str {
        self.tokens.get(self.next).map_or(";", |token| token.text)
    }

    /// One branch behind `prefix`, up to the `,`, `}` or `;` that ends it.
    fn read(&mut self, prefix: &[&'a str]) {
        let at = self.tokens.get(self.next).map_or(0, |token| token.at);
        let mut path = prefix.to_vec();
        let mut name = None;
        loop {
            match self.peek() {
                "{" => return self.branches(&path),
                "," | "}" | ";" => break,
                "as" => {
                    self.next += 1;
                    name = Some(self.peek());
                }
                "::" => {}
                // `net::{self}` is `net`.
                "self" if !path.is_empty() => {}
                segment => path.push(segment),
            }
            self.next += 1;
        }
        let name = name.or(path.last().copied()).unwrap_or_default();
        self.leaves.push(Leaf { at, name, path });
    }

    fn branches(&mut self, prefix: &[&'a str]) {
        while !matches!(self.peek(), "}" | ";") {
            self.next += 1;
            if self.peek() != "}" {
                self.read(prefix);
            }
        }
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn used(code: &str, expected: &[&str]) {
        let told: Vec<_> = uses(code, "crate::hub::state").iter().map(|a| format!("{} {}", a.line, a.path)).collect();
        assert_eq!(told, expected, "{code}");
    }

    #[test]
    fn trees_are_taken_apart() {
        used("use tokio::net::TcpStream;", &["1 tokio::net::TcpStream"]);
        used("use a::{b, c::{self, d as e},\n f::*,};", &["1 a::b", "1 a::c", "1 a::c::d", "2 a::f::*"]);
        used("pub(crate) use ::{a as b, c};", &["1 a", "1 c"]);
        used("use {a::b, c};\nuse d;", &["1 a::b", "1 c", "2 d"]);
    }

    #[test]
    fn relative_paths_are_made_absolute() {
        used("use super::{Reply, batch::Batch};", &["1 crate::hub::Reply", "1 crate::hub::batch::Batch"]);
        used("use super::super::conn; use self::a;", &["1 crate::conn", "1 crate::hub::state::a"]);
        used("fn f() { super::task::run() }", &["1 crate::hub::task::run"]);
    }

    #[test]
    fn expressions_and_macros_are_seen() {
        used("let a = tokio::select! { b }; println!()", &["1 println!", "1 tokio::select!"]);
        used("fn f(a: &std::net::IpAddr) -> Vec::<u8> {}", &["1 std::net::IpAddr"]);
        used("#[tokio::main]\nx.y::<z>(); a != b; ::core::a()", &["1 tokio::main", "2 core::a"]);
        used("<A as B>::c(); fn f<'a>() -> impl A + use<'a> {}", &[]);
    }

    #[test]
    fn names_stand_for_what_they_were_brought_in_as() {
        used("use std::process as p;\np::exit(1);", &["1 std::process", "2 std::process::exit"]);
        used("use tracing::info;\ninfo!(a);", &["1 tracing::info", "2 tracing::info!"]);
    }
}
