//! Several writes that are sent as one: each flight to the database costs more than most writes do. On PostgreSQL they are parts of one
//! statement, on SQLite one text. They must not depend on each other's order, and no two may touch the same row; foreign keys between
//! them hold, because both databases look at those when the whole is done or the parts stand in their order.

use sea_orm::{ActiveModelTrait, ConnectionTrait as _, DbBackend, Statement};

use super::bulk::MAX_BINDS;
use super::part::{Part, Row};
use super::scope::WorkspaceOwned;
use super::tx::Tx;
use crate::kernel::Result;

impl Tx {
    /// New rows of this workspace, to be stored by [`Tx::together`] or [`Tx::at_last`].
    pub fn storing<A>(&self, rows: Vec<A>) -> Vec<Part>
    where
        A: ActiveModelTrait + Send,
        A::Entity: WorkspaceOwned,
    {
        let mut parts: Vec<Part> = Vec::with_capacity(1);
        let mut names: Vec<&'static str> = Vec::new();
        for mut row in rows {
            self.stamp(&mut row);
            let row = Row::of(row);
            match parts.last_mut() {
                // A quarter each, so that some parts fit into one statement.
                Some(open) if names == row.names() && open.binds() + names.len() <= MAX_BINDS / 4 => {
                    open.and_row(row);
                }
                _ => {
                    names = row.names().to_vec();
                    parts.push(Part::insert(row));
                }
            }
        }
        parts
    }

    /// Carries these out with as few statements as there can be.
    pub async fn together(&self, parts: Vec<Part>) -> Result<()> {
        let mut waiting = Vec::with_capacity(parts.len());
        let mut binds = 0;
        for part in parts {
            if binds + part.binds() > MAX_BINDS {
                self.send(std::mem::take(&mut waiting)).await?;
                binds = 0;
            }
            binds += part.binds();
            waiting.push(part);
        }
        self.send(waiting).await
    }

    async fn send(&self, parts: Vec<Part>) -> Result<()> {
        if let Some(statement) = one_statement(parts, self.get_database_backend()) {
            self.conn().execute_raw(statement).await?;
        }
        Ok(())
    }
}

fn one_statement(parts: Vec<Part>, backend: DbBackend) -> Option<Statement> {
    let count = parts.len();
    let mut whole = Part::default();
    for (index, part) in parts.into_iter().enumerate() {
        let is_last = index + 1 == count;
        match backend {
            DbBackend::Postgres if !is_last => {
                whole.say(if index == 0 { "WITH " } else { ", " });
                named(&mut whole, index, part);
            }
            DbBackend::Postgres => {
                whole.say(if index > 0 { " " } else { "" });
                whole.add(part);
            }
            _ => {
                whole.say(if index > 0 { "; " } else { "" });
                whole.add(part);
            }
        }
    }
    (count > 0).then(|| whole.into_statement(backend))
}

/// Goes on with a part of a statement of PostgreSQL.
pub(super) fn named(whole: &mut Part, index: usize, part: Part) {
    whole.say(&format!("part{index} AS ("));
    whole.add(part);
    whole.say(")");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(count: i32) -> Vec<Part> {
        let part = |number: i32| Part::new("UPDATE a SET b = ?", vec![number.into()]);
        (0..count).map(part).collect()
    }

    #[test]
    fn parts_become_one_statement() {
        let text = |count, backend| one_statement(parts(count), backend).map(|statement| statement.sql);
        assert_eq!(text(0, DbBackend::Postgres), None);
        let one = text(1, DbBackend::Postgres);
        assert_eq!(one.as_deref(), Some("UPDATE a SET b = $1"));
        let three = text(3, DbBackend::Postgres);
        let meant = "WITH part0 AS (UPDATE a SET b = $1), part1 AS (UPDATE a SET b = $2) UPDATE a SET b = $3";
        assert_eq!(three.as_deref(), Some(meant));
        let two = text(2, DbBackend::Sqlite);
        assert_eq!(two.as_deref(), Some("UPDATE a SET b = ?; UPDATE a SET b = ?"));
    }
}
