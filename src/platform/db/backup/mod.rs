//! The whole database as one file, and back. Promises: a consistent snapshot of every table of the catalogue, the same file from SQLite and
//! PostgreSQL, nothing held in memory but some rows, and no row written from a file whose digest is wrong. What is sealed stays sealed.
//!
//! The file is gzip over lines of JSON: a header, then for each table its name and columns, its rows as lists, and their number; the last
//! line is the SHA-256 of all lines before it.

mod restore;
mod value;

use std::io::{BufRead, BufReader, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::TryStreamExt as _;
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel,
    StreamTrait as _, TransactionTrait as _,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use restore::restore;
/// A connection with the rights of the URL itself.
pub use sea_orm::DatabaseConnection as Connection;

/// Name of the format, the first thing in a file.
const FORMAT: &str = "meridian-backup";
/// Layout of the file; another one gets another number.
const VERSION: u32 = 1;
/// Longest line that is read; a stored calendar object has its own limit far below.
const LONGEST_LINE: u64 = 64 << 20;

/// Why a backup cannot be made or taken, as a sentence for the operator.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The first line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    format: String,
    version: u32,
    /// Version and commit of the program that made it.
    pub program: String,
    /// When it was made, as RFC 3339 has it.
    pub made_at: String,
    /// The migrations that were applied, in order.
    pub schema: Vec<String>,
}

impl Header {
    /// The header of a file that is made now, of a database with these migrations.
    pub fn new(made_at: String, schema: Vec<String>) -> Self {
        Self {
            format: FORMAT.into(),
            version: VERSION,
            program: crate::kernel::VERSION.into(),
            made_at,
            schema,
        }
    }
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The header.
    pub header: Header,
    /// Number of tables.
    pub tables: usize,
    /// Number of rows.
    pub rows: u64,
}

/// A line between the header and the digest.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Table { table: String, columns: Vec<String> },
    End { rows: u64 },
    Digest { sha256: String },
    Row(Vec<serde_json::Value>),
}

struct Lines<W: Write> {
    out: GzEncoder<W>,
    digest: Sha256,
}

impl<W: Write> Lines<W> {
    fn put(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.digest.update(&text);
        Ok(self.out.write_all(&text)?)
    }
}

/// Writes a snapshot of every table. `connection` has the rights of the URL itself.
pub async fn backup<W: Write + Send>(
    connection: &DatabaseConnection,
    header: Header,
    out: W,
) -> Result<Contents, Failure> {
    let snapshot = snapshot(connection).await?;
    let mut lines = Lines {
        out: GzEncoder::new(out, Compression::default()),
        digest: Sha256::new(),
    };
    lines.put(&header)?;
    let (mut tables, mut all) = (0, 0);
    for table in entity::catalog() {
        let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let mut select = Query::select();
        select
            .columns(columns.iter().map(|name| Alias::new(name.as_str())))
            .from(Alias::new(table.name.as_str()));
        lines.put(&Line::Table {
            table: table.name.clone(),
            columns,
        })?;
        let statement = ConnectionTrait::get_database_backend(&snapshot).build(&select);
        let mut stream = snapshot.stream_raw(statement).await?;
        let mut rows = 0;
        while let Some(row) = stream.try_next().await? {
            let cells = table.columns.iter().enumerate();
            let cells = cells.map(|(index, column)| value::encode(&row, index, &column.kind));
            lines.put(&Line::Row(cells.collect::<Result<_, _>>()?))?;
            rows += 1;
        }
        lines.put(&Line::End { rows })?;
        tables += 1;
        all += rows;
    }
    snapshot.rollback().await?;
    let sha256 = hex(lines.digest.clone());
    lines.put(&Line::Digest { sha256 })?;
    lines.out.finish()?.flush()?;
    Ok(Contents {
        header,
        tables,
        rows: all,
    })
}

/// A transaction that sees one state of all tables, whatever others commit.
async fn snapshot(connection: &DatabaseConnection) -> Result<DatabaseTransaction, Failure> {
    if connection.get_database_backend() != DbBackend::Postgres {
        // The first read of a transaction pins the state of an SQLite file in WAL mode.
        return Ok(connection.begin().await?);
    }
    let level = Some(IsolationLevel::RepeatableRead);
    let snapshot = connection
        .begin_with_config(level, Some(AccessMode::ReadOnly))
        .await?;
    // Row-level security holds for the owner too; this role sees all workspaces.
    snapshot
        .execute_unprepared("SET LOCAL ROLE meridian_system")
        .await?;
    Ok(snapshot)
}

/// Reads a file to its end and checks its digest, without a database.
pub fn verify<R: Read>(input: R) -> Result<Contents, Failure> {
    let mut reader = Reader::open(input)?;
    let (mut tables, mut rows) = (0, 0);
    while let Some(line) = reader.next()? {
        match line {
            Line::Table { .. } => tables += 1,
            Line::Row(_) => rows += 1,
            Line::End { .. } | Line::Digest { .. } => {}
        }
    }
    Ok(Contents {
        header: reader.header,
        tables,
        rows,
    })
}

/// Reads lines and knows at the end whether the digest is right.
struct Reader<R: Read> {
    input: BufReader<GzDecoder<R>>,
    digest: Sha256,
    header: Header,
}

impl<R: Read> Reader<R> {
    fn open(input: R) -> Result<Self, Failure> {
        let mut input = BufReader::new(GzDecoder::new(input));
        let mut digest = Sha256::new();
        let first = line(&mut input).map_err(|_| "this is not a backup of Meridian")?;
        digest.update(&first);
        let header: Header =
            serde_json::from_slice(&first).map_err(|_| "this is not a backup of Meridian")?;
        if header.format != FORMAT {
            return Err("this is not a backup of Meridian".into());
        }
        if header.version != VERSION {
            let message = format!(
                "the backup has layout {}, this program reads layout {VERSION}. Use the program that made it ({}).",
                header.version, header.program
            );
            return Err(message.into());
        }
        Ok(Self {
            input,
            digest,
            header,
        })
    }

    /// `None` after a digest that is right; a file without one was cut short.
    fn next(&mut self) -> Result<Option<Line>, Failure> {
        let text = line(&mut self.input).map_err(unreadable)?;
        if text.is_empty() {
            return Err("the backup is cut short: it has no digest".into());
        }
        let read: Line =
            serde_json::from_slice(&text).map_err(|error| format!("the backup is damaged: {error}"))?;
        if let Line::Digest { sha256 } = &read {
            if *sha256 != hex(self.digest.clone()) {
                return Err("the backup was changed: its digest is another".into());
            }
            let rest = line(&mut self.input).map_err(unreadable)?;
            return match rest.is_empty() {
                true => Ok(None),
                false => Err("the backup goes on after its digest".into()),
            };
        }
        self.digest.update(&text);
        Ok(Some(read))
    }
}

/// What was cut short ends in the middle of what is compressed.
fn unreadable(error: std::io::Error) -> Failure {
    format!("the backup is damaged or cut short: {error}").into()
}

/// One line with its end; empty at the end of the file.
fn line(input: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    input.take(LONGEST_LINE).read_until(b'\n', &mut text)?;
    Ok(text)
}

fn hex(digest: Sha256) -> String {
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
