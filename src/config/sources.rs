//! Where settings come from: the process environment over a `.env` file, and the key file of a development machine. The only
//! place that reads the environment.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::operation::{KEY_BYTES, SecretKey, decode_key};
use super::secret::Secret;
use super::setting::Problem;

const KEY_FILE: &str = "secret.key";

/// The variables of the environment, over those of `.env` in the working directory.
pub(super) fn variables() -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let mut values = env_file(Path::new(".env"))?.unwrap_or_default();
    values.extend(environment());
    Ok(values)
}

/// The variables of a file; `None` when there is none.
pub(super) fn env_file(path: &Path) -> Result<Option<BTreeMap<String, String>>, Vec<Problem>> {
    match fs::read_to_string(path) {
        Ok(text) => parse_env_file(&text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(vec![Problem {
            setting: path.display().to_string(),
            message: format!("it cannot be read: {error}"),
        }]),
    }
}

/// The variables of the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(super) fn environment() -> BTreeMap<String, String> {
    // A variable that is not UTF-8 is none of ours.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// `NAME=value` per line; `#` begins a comment line; quotes around a value are dropped.
pub(super) fn parse_env_file(text: &str) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let mut values = BTreeMap::new();
    let mut problems = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        match line.split_once('=') {
            Some((name, value)) if is_name(name.trim()) => {
                values.insert(name.trim().into(), unquote(value.trim()).into());
            }
            _ => problems.push(Problem {
                setting: format!(".env line {}", number + 1),
                message: "it cannot be read. Write NAME=value.".into(),
            }),
        }
    }
    if problems.is_empty() {
        Ok(values)
    } else {
        Err(problems)
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unquote(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// Where a development machine keeps its key.
pub(super) fn key_file(data_dir: &Path) -> PathBuf {
    data_dir.join(KEY_FILE)
}

/// The key of a development machine: made on first use, readable by its owner only.
pub(super) fn development_key(data_dir: &Path) -> io::Result<SecretKey> {
    let path = key_file(data_dir);
    match fs::read_to_string(&path) {
        Ok(text) => decode_key(text.trim()).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} does not hold a key", path.display()),
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(data_dir)?;
            let mut key = [0; KEY_BYTES];
            getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
            match create_private(&path, &STANDARD.encode(key)) {
                Ok(()) => Ok(Secret::new(key)),
                // Another process was first; its key counts.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => development_key(data_dir),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Written under another name and linked, so that nobody ever reads half a key.
fn create_private(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked
}

#[cfg(test)]
mod tests;
