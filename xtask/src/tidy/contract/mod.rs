//! protocole.md in step with the code: what is cited exists, limits are those of the code, every verb is told.

mod citations;
mod limits;
mod verbs;

use chat_proto::contract::Contract;

use super::{File, Finding, Tree, markdown, rust};

const PATH: &str = "protocole.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    // That it has to be there is for the layout to say.
    let Some(document) = tree.file(PATH) else { return Vec::new() };
    let contract = match Contract::parse(&document.text) {
        Ok(contract) => contract,
        Err(error) => return vec![Finding::new(PATH, error.at(), format!("mend what cannot be read here: {error}"))],
    };
    let mut findings = limits::check(document, &contract);
    for file in tree.files() {
        findings.extend(citations::check(file, &contract));
    }
    for side in verbs::SIDES {
        findings.extend(verbs::check(document, tree, side));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::assert_found;

    #[test]
    fn a_document_that_cannot_be_read_is_found() {
        let advice = "mend what cannot be read here: line 2: there are two clauses 1.1";
        let findings = check(&Tree::of(&[(PATH, "**1.1** a\n**1.1** b\n")]));
        assert_found(&findings, &[&format!("{PATH}:2: {advice}")]);
    }
}
