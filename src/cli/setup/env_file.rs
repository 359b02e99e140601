//! Writing `.env`: whole or not at all, for its owner's eyes only, and never over another one by accident.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Failure, Values};
use crate::config;
use crate::kernel::time::Clock;

/// Where a file is written before it gets its name.
pub(super) fn draft(file: &Path) -> PathBuf {
    file.with_file_name(format!(".env.draft-{}", std::process::id()))
}

/// A new file that only its owner can read.
pub(super) fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes the settings. Where there is a file that may be replaced, it stays under the name that is returned.
pub(super) fn write(file: &Path, values: &Values, replace: bool) -> Result<Option<PathBuf>, Failure> {
    let text = config::env_text(values)?;
    let draft = draft(file);
    let written = put(file, &draft, &text, replace);
    // After a rename it is gone already.
    fs::remove_file(&draft).ok();
    written.map_err(|error| format!("{}: {error}", file.display()).into())
}

fn put(file: &Path, draft: &Path, text: &str, replace: bool) -> io::Result<Option<PathBuf>> {
    let mut out = private(draft)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    if !replace {
        // Fails when somebody else has written one in the meantime.
        return fs::hard_link(draft, file).map(|()| None);
    }
    // To the millisecond: scripts change one setting after the other.
    let now = Clock::system().now().format("%Y%m%dT%H%M%S%.3fZ");
    let kept = file.with_file_name(format!(".env.{now}"));
    fs::hard_link(file, &kept)?;
    fs::rename(draft, file)?;
    Ok(Some(kept))
}
