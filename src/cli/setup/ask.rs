//! Who answers: a person at a terminal, or the defaults.

use std::io;

use dialoguer::console::{Term, colors_enabled_stderr, style};
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Input, Select};

/// Answers questions. An empty text means "as it is".
pub(super) trait Ask {
    /// A line of text; `shown` is what an empty one stands for.
    fn text(&mut self, prompt: &str, shown: &str) -> io::Result<String>;
    /// A line that nobody sees; `is_set` when an empty one keeps what is there.
    fn secret(&mut self, prompt: &str, is_set: bool) -> io::Result<String>;
    /// One of several.
    fn choose(&mut self, prompt: &str, items: &[&str], default: usize) -> io::Result<usize>;
    /// Says what is wrong with the last answer. False when asking again leads nowhere.
    fn again(&mut self, why: &str) -> bool;
}

/// Takes every default.
pub(super) struct Defaults;

impl Ask for Defaults {
    fn text(&mut self, _: &str, _: &str) -> io::Result<String> {
        Ok(String::new())
    }

    fn secret(&mut self, _: &str, _: bool) -> io::Result<String> {
        Ok(String::new())
    }

    fn choose(&mut self, _: &str, _: &[&str], default: usize) -> io::Result<usize> {
        Ok(default)
    }

    fn again(&mut self, _: &str) -> bool {
        false
    }
}

/// Asks a person, on standard error like every prompt.
pub(super) struct Terminal {
    term: Term,
    theme: Box<dyn Theme>,
}

impl Terminal {
    /// The terminal, when there is one.
    pub(super) fn open() -> Option<Self> {
        let term = Term::stderr();
        // Both ways: what is shown, and what is typed.
        let is_there = term.is_term() && io::IsTerminal::is_terminal(&io::stdin());
        let theme: Box<dyn Theme> = if colors_enabled_stderr() {
            Box::new(ColorfulTheme::default())
        } else {
            Box::new(SimpleTheme)
        };
        is_there.then_some(Self { term, theme })
    }
}

impl Ask for Terminal {
    fn text(&mut self, prompt: &str, shown: &str) -> io::Result<String> {
        let prompt = match shown {
            "" => prompt.to_owned(),
            shown => format!("{prompt} [{shown}]"),
        };
        Input::<String>::with_theme(self.theme.as_ref())
            .with_prompt(prompt)
            .allow_empty(true)
            .interact_text_on(&self.term)
            .map(|text| text.trim().to_owned())
            .map_err(io::Error::other)
    }

    fn secret(&mut self, prompt: &str, is_set: bool) -> io::Result<String> {
        let keeps = if is_set { " [unchanged]" } else { "" };
        self.term.write_str(&format!("{prompt}{keeps} (not shown): "))?;
        Ok(self.term.read_secure_line()?.trim().to_owned())
    }

    fn choose(&mut self, prompt: &str, items: &[&str], default: usize) -> io::Result<usize> {
        Select::with_theme(self.theme.as_ref())
            .with_prompt(prompt)
            .items(items)
            .default(default)
            .interact_on(&self.term)
            .map_err(io::Error::other)
    }

    fn again(&mut self, why: &str) -> bool {
        eprintln!("  {} {why}", style("!").red().for_stderr());
        true
    }
}
