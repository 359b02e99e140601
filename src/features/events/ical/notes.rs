//! Collecting what was wrong in a text.
//!
//! Promises: never more than a fixed number of notes, however broken the text is.

use super::model::Problem;

/// More notes than this help nobody.
const LIMIT: usize = 200;

/// Problems found so far, in reading order.
#[derive(Debug, Default)]
pub(super) struct Notes {
    uid: Option<String>,
    problems: Vec<Problem>,
    omitted: usize,
}

impl Notes {
    /// Notes about one object.
    pub(super) fn about(uid: &str) -> Self {
        Self {
            uid: Some(uid.to_owned()),
            ..Self::default()
        }
    }

    /// Adds a sentence about a line, or about the text as a whole.
    pub(super) fn add(&mut self, line: impl Into<Option<u32>>, message: &str) {
        if self.problems.len() < LIMIT {
            let (line, uid, message) = (line.into(), self.uid.clone(), message.to_owned());
            self.problems.push(Problem { line, uid, message });
        } else {
            self.omitted += 1;
        }
    }

    /// Takes over notes about one object.
    pub(super) fn absorb(&mut self, other: Notes) {
        self.omitted += other.omitted;
        for problem in other.problems {
            if self.problems.len() < LIMIT {
                self.problems.push(problem);
            } else {
                self.omitted += 1;
            }
        }
    }

    /// The problems, with a last one that says how many were left out.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        if self.omitted > 0 {
            let message = format!("{} more problems of this kind are not listed.", self.omitted);
            self.problems.push(Problem {
                line: None,
                uid: self.uid,
                message,
            });
        }
        self.problems
    }
}
