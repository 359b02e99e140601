//! `mail`: what people get by e-mail, to look at. Needs no settings and sends nothing.

use clap::Subcommand;

use super::Outcome;
use crate::features::letters::{self, Preview};

#[derive(Subcommand)]
pub(super) enum Action {
    /// Print a letter with made-up people; without a name, the names of all.
    Preview {
        /// Name of the letter.
        name: Option<String>,
        /// Print the HTML instead of the text.
        #[arg(long)]
        html: bool,
        /// Print the calendar part instead of the text.
        #[arg(long, conflicts_with = "html")]
        ics: bool,
    },
}

pub(super) fn run(action: &Action) -> Outcome {
    let Action::Preview { name, html, ics } = action;
    let all = letters::previews()?;
    let Some(name) = name else {
        for preview in &all {
            println!("{:<14} {}", preview.name, preview.subject);
        }
        return Ok(());
    };
    let Some(found) = all.iter().find(|preview| preview.name == name) else {
        let names: Vec<&str> = all.iter().map(|preview| preview.name).collect();
        return Err(format!("there is no letter `{name}`. Letters: {}.", names.join(", ")).into());
    };
    print!("{}", shown(found, *html, *ics)?);
    Ok(())
}

fn shown(preview: &Preview, html: bool, ics: bool) -> Result<String, String> {
    if html {
        return Ok(preview.html.clone());
    }
    if ics {
        let part = preview.calendar.as_ref();
        let part = part.ok_or_else(|| format!("`{}` has no calendar part.", preview.name))?;
        return Ok(part.text.clone());
    }
    Ok(format!("Subject: {}\n\n{}", preview.subject, preview.text))
}
