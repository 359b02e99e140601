//! Statements that come again and again with other values. To make the text of a page from its parts takes longer than the driver needs
//! to send it, so the texts of the most frequent ones are kept. Promises: what is handed out is the statement that would have been made,
//! which tests check each time; and bounded memory. Must not know what statements are about.

use std::hash::Hash;

use dashmap::{DashMap, Entry};
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
    /// What was given there when the text was kept. It may be a constant that is the same by chance: that shows when something else is
    /// given for the first time, and then the statement is made once more.
    Either(Value, usize),
}

impl Slot {
    /// Finds out more from the value in another statement; whether it can be this one.
    fn learn(&mut self, value: &Value, given: &[Value]) -> bool {
        let is = |index: usize| given.get(index) == Some(value);
        match self {
            Self::Same(known) => *known == *value,
            Self::Given(index) => is(*index),
            Self::Either(known, index) => {
                let (is_same, index) = (*known == *value, *index);
                match (is_same, is(index)) {
                    (true, true) => {}
                    (false, true) => *self = Self::Given(index),
                    (true, false) => *self = Self::Same(value.clone()),
                    (false, false) => return false,
                }
                true
            }
        }
    }
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
        let known = self.0.get(&key).and_then(|text| text.with(given));
        if let Some(statement) = known {
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
        let is_room = self.0.len() < MOST;
        match self.0.entry(key) {
            Entry::Occupied(mut known) => {
                if !known.get_mut().learn(&statement, given) {
                    known.remove();
                }
            }
            Entry::Vacant(place) => {
                if is_room && let Some(text) = Text::of(&statement, given) {
                    place.insert(text);
                }
            }
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
            Some(index) => Slot::Either(value.clone(), index),
            None => Slot::Same(value.clone()),
        };
        (is_each_itself && is_each_there).then(|| Self {
            sql: statement.sql.clone(),
            values: values.iter().map(slot).collect(),
            backend: statement.db_backend,
        })
    }

    /// `None` when it cannot be told yet.
    fn with(&self, given: &[Value]) -> Option<Statement> {
        let values = self.values.iter().map(|slot| match slot {
            Slot::Same(value) => Some(value.clone()),
            Slot::Given(index) => given.get(*index).cloned(),
            Slot::Either(value, index) => given.get(*index).filter(|one| *one == value).cloned(),
        });
        let values: Vec<Value> = values.collect::<Option<_>>()?;
        let sql = self.sql.as_str();
        Some(Statement::from_sql_and_values(self.backend, sql, values))
    }

    /// Compares with what was made for something else; `false` when this is not the text of both.
    fn learn(&mut self, statement: &Statement, given: &[Value]) -> bool {
        let Some(values) = &statement.values else {
            return false;
        };
        self.sql == statement.sql
            && self.values.len() == values.0.len()
            && self
                .values
                .iter_mut()
                .zip(&values.0)
                .all(|(slot, value)| slot.learn(value, given))
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

    fn many(ids: &[i32], made: impl Fn(i32) -> [Value; 2]) -> usize {
        let texts = Texts::default();
        for id in ids {
            let given: [Value; 1] = [(*id).into()];
            let make = || -> Result<Statement> {
                let values = made(*id);
                Ok(Statement::from_sql_and_values(
                    DbBackend::Sqlite,
                    "SELECT ?, ?",
                    values,
                ))
            };
            let statement = texts.statement(0_u8, &given, make).unwrap();
            assert_eq!(statement, make().unwrap(), "{id}");
        }
        texts.0.len()
    }

    #[test]
    fn a_constant_that_is_given_by_chance_stays_itself() {
        assert_eq!(many(&[7, 7, 8, 9, 7], |id| [7_i32.into(), id.into()]), 1);
    }

    #[test]
    fn what_is_computed_from_the_given_is_no_constant() {
        many(&[1, 1, 2, 3, 2, 2, 1], |id| [id.into(), (id + 1).into()]);
    }
}
