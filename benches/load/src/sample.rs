//! Who asks for what: tasks all over the database, each with the workspace it is in and a person who lives there.

use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::Result;

/// One choice of variables.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) task: Uuid,
    pub(crate) workspace: Uuid,
    /// Somebody who may ask.
    pub(crate) person: Uuid,
    /// Their token.
    pub(crate) token: String,
}

/// Opens a connection of the benchmark's own.
pub(crate) async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Picks tasks; the same ones for the same database.
pub(crate) async fn pick(url: &str, count: i64) -> Result<Vec<Sample>> {
    let sql = "SELECT t.id, t.workspace_id, u.id, 'mrd_bench_' || substring(u.email from '[0-9]+') \
        FROM (SELECT * FROM tasks WHERE due_at < '2037-01-01' AND assignee_id IS NOT NULL ORDER BY hashtext(id::text) LIMIT $1) t \
        JOIN users u ON u.id = t.assignee_id ORDER BY t.id";
    let rows = connect(url).await?.query(sql, &[&count]).await?;
    if rows.is_empty() {
        return Err("the database has no tasks".into());
    }
    let sample = |row: &tokio_postgres::Row| Sample {
        task: row.get(0),
        workspace: row.get(1),
        person: row.get(2),
        token: row.get(3),
    };
    Ok(rows.iter().map(sample).collect())
}

/// How many tasks there are.
pub(crate) async fn count(url: &str) -> Result<i64> {
    Ok(connect(url)
        .await?
        .query_one("SELECT count(*) FROM tasks", &[])
        .await?
        .get(0))
}

/// Numbers that look random and come back with the same seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Between 0 and `end`, without it.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end.max(1) as u64) as usize
    }
}
