//! Who is in the crowd: as many people as there are, each at home in one workspace.

use crate::Result;
use crate::sample::{Sample, connect};

/// People with a token and a task of the workspace they are at home in.
pub(super) async fn pick(url: &str, count: usize) -> Result<Vec<Sample>> {
    // A person's first membership is the one at home.
    let sql = "SELECT t.id, home.workspace_id, home.user_id, home.token FROM ( \
         SELECT DISTINCT ON (u.id) u.id AS user_id, m.workspace_id, 'mrd_bench_' || substring(u.email from '[0-9]+') AS token \
         FROM users u JOIN memberships m ON m.user_id = u.id WHERE u.email LIKE 'person%@bench.example' ORDER BY u.id, m.id LIMIT $1) home \
         JOIN LATERAL (SELECT id FROM tasks WHERE workspace_id = home.workspace_id ORDER BY id LIMIT 1) t ON true ORDER BY home.user_id";
    let rows = connect(url).await?.query(sql, &[&i64::try_from(count)?]).await?;
    if rows.len() < count {
        return Err(format!("the database has only {} people", rows.len()).into());
    }
    let sample = |row: &tokio_postgres::Row| Sample {
        task: row.get(0),
        workspace: row.get(1),
        person: row.get(2),
        token: row.get(3),
    };
    Ok(rows.iter().map(sample).collect())
}
