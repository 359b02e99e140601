//! Statements that come again and again with other values. To make the text of a page from its parts takes longer than the driver needs
//! to send it, so the texts of the most frequent ones are kept. Promises: what is handed out is the statement that would have been made,
//! which tests check each time; and bounded memory. Must not know what statements are about.

use std::hash::Hash;

use dashmap::DashMap;
use sea_orm::{DbBackend, Statement, Value};

use crate::kernel::Result;

/// Most texts of one kind. Clients choose columns and so texts, and those that come often come soon.
const MOST: usize = 500;

/// The texts of one kind of statement, by all that decides about the text.
pub struct Texts<K>(DashMap<K, Text>);

struct Text {
    sql: String,
    values: Vec<Slot>,
    backend: DbBackend,
}

enum Slot {
    Same(Value),
    Given(usize),
}

impl<K: Eq + Hash> Default for Texts<K> {
    fn default() -> Self {
        Self(DashMap::new())
    }
}

impl<K: Eq + Hash> Texts<K> {
    /// The statement that `make` makes. `given` are the values in it that `key` does not decide.
    pub fn statement(
        &self,
        key: K,
        given: &[Value],
        make: impl FnOnce() -> Result<Statement>,
    ) -> Result<Statement> {
        if let Some(known) = self.0.get(&key) {
            let statement = known.with(given);
            drop(known);
            if cfg!(debug_assertions) {
                assert_eq!(
                    make()?,
                    statement,
                    "a kept statement is not the one that is meant"
                );
            }
            return Ok(statement);
        }
        let statement = make()?;
        if self.0.len() < MOST
            && let Some(text) = Text::of(&statement, given)
        {
            self.0.insert(key, text);
        }
        Ok(statement)
    }
}

impl Text {
    /// `None` when it cannot be told which value is which.
    fn of(statement: &Statement, given: &[Value]) -> Option<Self> {
        let place = |value: &Value| given.iter().position(|one| one == value);
        let is_each_itself = given
            .iter()
            .enumerate()
            .all(|(index, value)| place(value) == Some(index));
        let values = &statement.values.as_ref()?.0;
        let is_each_there = given.iter().all(|value| values.contains(value));
        let slot = |value: &Value| match place(value) {
            Some(index) => Slot::Given(index),
            None => Slot::Same(value.clone()),
        };
        (is_each_itself && is_each_there).then(|| Self {
            sql: statement.sql.clone(),
            values: values.iter().map(slot).collect(),
            backend: statement.db_backend,
        })
    }

    fn with(&self, given: &[Value]) -> Statement {
        let values = self.values.iter().filter_map(|slot| match slot {
            Slot::Same(value) => Some(value.clone()),
            Slot::Given(index) => given.get(*index).cloned(),
        });
        Statement::from_sql_and_values(self.backend, self.sql.as_str(), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(first: i32, second: i32) -> Statement {
        let values: [Value; 4] = [first.into(), true.into(), second.into(), first.into()];
        Statement::from_sql_and_values(DbBackend::Sqlite, "SELECT ?, ?, ?, ?", values)
    }

    fn asked(texts: &Texts<u8>, first: i32, second: i32) -> Statement {
        let given: [Value; 2] = [first.into(), second.into()];
        texts.statement(0, &given, || Ok(made(first, second))).unwrap()
    }

    #[test]
    fn a_kept_text_gets_the_values_of_each_time() {
        let texts = Texts::default();
        assert_eq!(asked(&texts, 1, 2), made(1, 2));
        assert_eq!(texts.0.len(), 1);
        assert_eq!(asked(&texts, 3, 4), made(3, 4));
        assert_eq!(asked(&texts, 5, 5), made(5, 5));
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_kept() {
        let texts = Texts::default();
        assert_eq!(asked(&texts, 1, 1), made(1, 1));
        assert!(texts.0.is_empty());
        let elsewhere: [Value; 2] = [7_i32.into(), 2_i32.into()];
        let statement = texts.statement(0, &elsewhere, || Ok(made(1, 2))).unwrap();
        assert_eq!(statement, made(1, 2));
        assert!(texts.0.is_empty());
    }
}
