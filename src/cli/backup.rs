//! `backup` and `restore`: the whole database as one file, made while the server runs, and put into a new database of either kind.

use std::fs::{self, File, OpenOptions};
use std::io::BufReader;
use std::path::Path;

use migration::{Migrator, MigratorTrait as _};

use super::{Outcome, checks};
use crate::config::Config;
use crate::kernel::time::Clock;
use crate::platform::db::backup::{self, Contents, Header};
use crate::platform::db::{lock_migrations, open_as_owner, redact_url};

pub(super) async fn backup(config: &Config, file: &Path) -> Outcome {
    if file.exists() {
        return Err(format!("{} exists already", file.display()).into());
    }
    let connection = open_as_owner(config.database.url.expose()).await?;
    let schema = applied(&connection).await?;
    if schema.is_empty() {
        let url = redact_url(config.database.url.expose());
        return Err(
            format!("nothing of Meridian is in {url}. Look at DATABASE_URL and MERIDIAN_DATA_DIR.").into(),
        );
    }
    if !Migrator::get_pending_migrations(&connection).await?.is_empty() {
        return Err("the database is not at the version of this program. Back it up with the program that runs on it.".into());
    }
    // Under another name until it is whole, so that nobody takes half a backup for one.
    let mut draft = file.as_os_str().to_owned();
    draft.push(".partial");
    let draft = Path::new(&draft);
    let made_at = Clock::system().now().to_rfc3339();
    let header = Header::new(made_at, schema);
    let out = private(draft).map_err(|error| format!("{}: {error}", draft.display()))?;
    let written = async {
        let contents = backup::backup(&connection, header, &out).await?;
        out.sync_all()?;
        fs::rename(draft, file)?;
        Ok(contents)
    };
    let written: Result<Contents, backup::Failure> = written.await;
    if written.is_err() {
        // What is left of it is of no use; that it is gone is not worth another error.
        fs::remove_file(draft).ok();
    }
    let written = written.map_err(|error| format!("{}: no backup was made: {error}", file.display()))?;
    println!("{}: {}", file.display(), told(&written));
    connection.close().await?;
    Ok(())
}

pub(super) async fn restore(config: &Config, file: &Path, check: bool) -> Outcome {
    let open = || File::open(file).map_err(|error| format!("{}: {error}", file.display()));
    let contents = backup::verify(BufReader::new(open()?))?;
    println!(
        "{}: made at {} by Meridian {}, {}, digest right",
        file.display(),
        contents.header.made_at,
        contents.header.program,
        told(&contents)
    );
    if check {
        return Ok(());
    }
    crate::app::prepare_data_dir(config)?;
    let connection = open_as_owner(config.database.url.expose()).await?;
    lock_migrations(&connection).await?;
    Migrator::up(&connection, None).await?;
    let schema = applied(&connection).await?;
    let restored = backup::restore(&connection, &schema, BufReader::new(open()?)).await?;
    println!("restored: {}", told(&restored));
    connection.close().await?;
    // What is sealed stays sealed; the rows are there, so that a missing key is no failure of this.
    checks::sealed(config).await.print();
    Ok(())
}

fn told(contents: &Contents) -> String {
    format!("{} tables, {} rows", contents.tables, contents.rows)
}

async fn applied(connection: &backup::Connection) -> Result<Vec<String>, backup::Failure> {
    let applied = Migrator::get_applied_migrations(connection).await?;
    Ok(applied
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect())
}

/// A new file that only its owner can read.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
