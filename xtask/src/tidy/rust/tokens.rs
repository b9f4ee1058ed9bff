//! Words and signs of code.

/// A word, `::`, or another single sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// Where it stands, in octets.
    pub(super) at: usize,
}

impl Token<'_> {
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(is_word_char)
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// All tokens of `code`, which holds neither strings nor comments.
pub(super) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        let len = if is_word_char(c) {
            rest.find(|c| !is_word_char(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if !c.is_whitespace() {
            tokens.push(Token { text: &rest[..len], at });
        }
        at += len;
    }
    tokens
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_and_signs() {
        let told: Vec<_> = super::tokens("a::b_1 -> {é}").iter().map(|token| (token.text, token.at)).collect();
        assert_eq!(told, [("a", 0), ("::", 1), ("b_1", 3), ("-", 7), (">", 8), ("{", 10), ("é", 11), ("}", 13)]);
    }
}
