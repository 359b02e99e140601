//! Rust text to the few tokens that paths are made of. Comments, texts and characters vanish, so nothing written in them counts.

/// A piece of the text that matters for paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Name(String),
    /// `::`
    Separator,
    Open,
    Close,
    Comma,
    Semicolon,
    Star,
    /// Anything else, for example `<` or `=`.
    Other(char),
}

/// A piece and the line where it stands, counted from one.
#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    pub line: usize,
}

/// Splits a file into tokens.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        text: text.chars().collect(),
        at: 0,
        line: 1,
        found: Vec::new(),
    };
    while lexer.at < lexer.text.len() {
        lexer.step();
    }
    lexer.found
}

struct Lexer {
    text: Vec<char>,
    at: usize,
    line: usize,
    found: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.text.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == '\n' {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn skip_until(&mut self, end: impl Fn(&Self) -> bool) {
        while self.at < self.text.len() && !end(self) {
            self.skip(1);
        }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.found.push(Token {
            kind,
            line: self.line,
        });
        self.skip(length);
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.skip_until(|lexer| lexer.peek(0) == '\n'),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.character_or_lifetime(),
            (':', ':') => self.push(Kind::Separator, 2),
            ('{', _) => self.push(Kind::Open, 1),
            ('}', _) => self.push(Kind::Close, 1),
            (',', _) => self.push(Kind::Comma, 1),
            (';', _) => self.push(Kind::Semicolon, 1),
            ('*', _) => self.push(Kind::Star, 1),
            (c, _) if c.is_whitespace() => self.skip(1),
            (c, _) if c.is_alphanumeric() || c == '_' => self.name(),
            (c, _) => self.push(Kind::Other(c), 1),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                ('\0', _) => return,
                _ => {
                    self.skip(1);
                    continue;
                }
            }
            self.skip(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.skip(1);
        while self.at < self.text.len() && self.peek(0) != '"' {
            self.skip(if self.peek(0) == '\\' { 2 } else { 1 });
        }
        self.skip(1);
    }

    /// `r"…"`, `r#"…"#` and so on, from the first `#` or quote.
    fn raw_string(&mut self) {
        let mut hashes = 0;
        while self.peek(hashes) == '#' {
            hashes += 1;
        }
        self.skip(hashes + 1);
        self.skip_until(|lexer| lexer.peek(0) == '"' && (1..=hashes).all(|n| lexer.peek(n) == '#'));
        self.skip(hashes + 1);
    }

    fn character_or_lifetime(&mut self) {
        if self.peek(1) == '\\' {
            self.skip(3);
            self.skip_until(|lexer| lexer.peek(0) == '\'');
            self.skip(1);
        } else if self.peek(2) == '\'' {
            self.skip(3);
        } else {
            self.skip(1);
        }
    }

    fn name(&mut self) {
        let (start, line) = (self.at, self.line);
        self.skip_until(|lexer| !(lexer.peek(0).is_alphanumeric() || lexer.peek(0) == '_'));
        let name: String = self.text[start..self.at].iter().collect();
        let is_prefix = matches!(name.as_str(), "r" | "br" | "cr");
        match (self.peek(0), self.peek(1)) {
            ('"', _) | ('#', '"' | '#') if is_prefix => self.raw_string(),
            // `r#type` is the name `type`.
            ('#', _) if name == "r" => self.skip(1),
            ('"', _) if matches!(name.as_str(), "b" | "c") => self.string(),
            _ => self.found.push(Token {
                kind: Kind::Name(name),
                line,
            }),
        }
    }
}
