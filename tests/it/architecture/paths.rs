//! Every path that a file mentions, in `use` declarations and inline, from the root of the crate or from a package.

use super::lexer::{Kind, Token, tokens};

/// A path and where it stands.
#[derive(Clone, Debug)]
pub struct Mention {
    /// Begins with `crate` or with the name of a package.
    pub segments: Vec<String>,
    pub line: usize,
    /// Whether it is in a module for unit tests.
    pub in_tests: bool,
}

/// The modules that a file declares with `mod name;`, in order.
pub fn declared_modules(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    tokens
        .windows(3)
        .filter_map(
            |window| match [&window[0].kind, &window[1].kind, &window[2].kind] {
                [Kind::Name(word), Kind::Name(name), Kind::Semicolon] if word == "mod" => Some(name.clone()),
                _ => None,
            },
        )
        .collect()
}

/// All paths of a file whose own module has this path, for example `["kernel", "text"]`.
pub fn mentions(module: &[String], text: &str) -> Vec<Mention> {
    let mut walker = Walker {
        tokens: tokens(text),
        at: 0,
        module: module.to_vec(),
        outer: module.len(),
        opened: Vec::new(),
        depth: 0,
        found: Vec::new(),
    };
    while walker.at < walker.tokens.len() {
        walker.step();
    }
    walker.found
}

struct Walker {
    tokens: Vec<Token>,
    at: usize,
    module: Vec<String>,
    /// Length of the file's own module path.
    outer: usize,
    /// Depth of the braces of each module that is open inside the file.
    opened: Vec<usize>,
    depth: usize,
    found: Vec<Mention>,
}

impl Walker {
    fn kind(&self, at: usize) -> Option<&Kind> {
        self.tokens.get(at).map(|token| &token.kind)
    }

    fn name(&self, at: usize) -> Option<&str> {
        match self.kind(at) {
            Some(Kind::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn step(&mut self) {
        match self.kind(self.at) {
            Some(Kind::Open) => self.depth += 1,
            Some(Kind::Close) => {
                self.depth = self.depth.saturating_sub(1);
                if self.opened.last() == Some(&self.depth) {
                    self.opened.pop();
                    self.module.pop();
                }
            }
            Some(Kind::Name(word)) if word == "mod" => self.open_module(),
            // `use<'a>` in a type is something else.
            Some(Kind::Name(word)) if word == "use" && self.kind(self.at + 1) != Some(&Kind::Other('<')) => {
                self.at += 1;
                self.tree(&[]);
                return;
            }
            Some(Kind::Name(_)) if self.begins_path() => {
                self.inline_path();
                return;
            }
            _ => {}
        }
        self.at += 1;
    }

    fn open_module(&mut self) {
        if let (Some(name), Some(Kind::Open)) = (self.name(self.at + 1), self.kind(self.at + 2)) {
            self.module.push(name.to_owned());
            self.opened.push(self.depth);
        }
    }

    /// Whether the name here is the first of a path: `a::b`, or `::a::b`, but not the `b` in `a::b` or in `A<B>::b`.
    fn begins_path(&self) -> bool {
        if self.kind(self.at + 1) != Some(&Kind::Separator) {
            return false;
        }
        let before = |steps: usize| self.at.checked_sub(steps).and_then(|at| self.kind(at));
        before(1) != Some(&Kind::Separator) || !matches!(before(2), Some(Kind::Name(_) | Kind::Other('>')))
    }

    fn inline_path(&mut self) {
        let line = self.tokens[self.at].line;
        let mut segments = Vec::new();
        while let Some(name) = self.name(self.at) {
            segments.push(name.to_owned());
            self.at += 1;
            if self.kind(self.at) != Some(&Kind::Separator) || self.name(self.at + 1).is_none() {
                break;
            }
            self.at += 1;
        }
        self.mention(&segments, line);
    }

    /// The rest of a `use` declaration from here on, with what stood before it.
    fn tree(&mut self, before: &[String]) {
        let mut segments = before.to_vec();
        let mut line = self.tokens.get(self.at).map_or(0, |token| token.line);
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind.clone() {
                Kind::Separator => {}
                Kind::Name(word) if word == "as" => self.at += 1,
                Kind::Name(name) => {
                    line = token.line;
                    segments.push(name);
                }
                Kind::Star => segments.push("*".into()),
                Kind::Open => {
                    self.group(&segments);
                    return;
                }
                _ => break,
            }
            self.at += 1;
        }
        self.mention(&segments, line);
    }

    /// `{a, b::c}`.
    fn group(&mut self, before: &[String]) {
        self.at += 1;
        loop {
            match self.kind(self.at) {
                Some(Kind::Comma) => self.at += 1,
                Some(Kind::Close) | None => break,
                Some(Kind::Name(_) | Kind::Star | Kind::Open | Kind::Separator) => self.tree(before),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
    }

    fn mention(&mut self, segments: &[String], line: usize) {
        let Some(head) = segments.first() else { return };
        let mut rest = &segments[1..];
        let resolved = match head.as_str() {
            "crate" => [&["crate".to_owned()], rest].concat(),
            "self" | "super" => {
                let mut module = self.module.clone();
                if head == "super" {
                    module.pop();
                }
                while let Some((word, others)) = rest.split_first() {
                    match word.as_str() {
                        "super" => drop(module.pop()),
                        "self" => {}
                        _ => break,
                    }
                    rest = others;
                }
                [&["crate".to_owned()], module.as_slice(), rest].concat()
            }
            _ => segments.to_vec(),
        };
        self.found.push(Mention {
            segments: resolved,
            line,
            in_tests: self.module[self.outer..].iter().any(|name| name == "tests"),
        });
    }
}
