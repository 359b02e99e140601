//! The way of a developer's machine: each message becomes a file that mail programs open.

use std::path::PathBuf;

use super::MailError;

/// A folder of messages.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Writes a message; writing it again replaces it.
    pub(super) async fn keep(&self, key: &str, message: &[u8]) -> Result<(), MailError> {
        let harmless: String = key
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .collect();
        let file = self.0.join(format!("{harmless}.eml"));
        let written = async {
            tokio::fs::create_dir_all(&self.0).await?;
            tokio::fs::write(&file, message).await
        };
        match written.await {
            Ok(()) => {
                tracing::info!(file = %file.display(), "no mail server is set, so an e-mail was put into a file");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, file = %file.display(), "an e-mail could not be put into a file");
                Err(MailError::Later(
                    "The message could not be put into its folder.".into(),
                ))
            }
        }
    }
}
