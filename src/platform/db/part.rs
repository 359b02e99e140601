//! One write as text. Writes come again and again with other values, and to make the text of an insertion from a tree of words takes longer
//! than to send it, so these are written down at once. Knows the form of statements, not what they are about.

use std::fmt::Write as _;

use sea_orm::{
    ActiveModelTrait, ActiveValue, DbBackend, EntityName as _, EntityTrait, IdenStatic as _, Iterable as _,
    Statement, Value,
};

/// One of several writes: a text with a `?` for each value, and no other `?`.
#[derive(Clone, Debug, Default)]
pub struct Part {
    text: String,
    values: Vec<Value>,
    /// Where the rows of an insertion begin.
    rows: Option<usize>,
}

impl Part {
    pub(super) fn new(text: &str, values: Vec<Value>) -> Self {
        Self {
            text: text.to_owned(),
            values,
            rows: None,
        }
    }

    /// An insertion of one row.
    pub(super) fn insert(row: Row) -> Self {
        let mut part = Self {
            text: String::with_capacity(64 + 24 * row.names.len()),
            ..Self::default()
        };
        part.insert_into(&row);
        part.rows = Some(part.text.len());
        part.say(" VALUES ");
        part.add_row(row);
        part
    }

    /// How many values it binds.
    pub(super) fn binds(&self) -> usize {
        self.values.len()
    }

    /// Goes on with this text.
    pub(super) fn say(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Goes on with a value.
    pub(super) fn bind(&mut self, value: impl Into<Value>) {
        self.text.push('?');
        self.values.push(value.into());
    }

    /// Goes on with all of another.
    pub(super) fn add(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
    }

    /// Whether it is an insertion of rows.
    pub(super) fn is_insertion(&self) -> bool {
        self.rows.is_some()
    }

    /// Goes on with an insertion that happens when there is a row in `from`.
    pub(super) fn add_where(&mut self, insertion: Self, from: &str) {
        let at = insertion.rows.unwrap_or(insertion.text.len());
        let (beginning, rows) = insertion.text.split_at(at);
        self.say(beginning);
        self.say(" SELECT given.* FROM ");
        self.say(from);
        self.say(" CROSS JOIN (");
        self.say(rows.trim_start());
        self.say(") AS given");
        self.values.extend(insertion.values);
    }

    /// Goes on with an insertion of these rows, which set the same columns, for each row in `from`. Some columns are computed: `computed` has
    /// the text for those, in which `given` is the row. As a list it is planned in a tenth of the time that a query for each row takes.
    pub(super) fn insert_each(
        &mut self,
        rows: Vec<Row>,
        computed: impl Fn(&str) -> Option<&'static str>,
        from: &str,
    ) {
        let mut rows = rows.into_iter();
        let Some(first) = rows.next() else { return };
        self.insert_into(&first);
        let names = first.names.clone();
        for (index, name) in names.iter().enumerate() {
            self.say(if index > 0 { ", " } else { " SELECT " });
            match computed(name) {
                Some(text) => self.say(text),
                None => self.say(&format!("given.\"{name}\"")),
            }
        }
        self.say(" FROM ");
        self.say(from);
        self.say(" CROSS JOIN (VALUES ");
        self.add_row(first);
        rows.for_each(|row| self.and_row(row));
        self.say(") AS given (\"");
        self.say(&names.join("\", \""));
        self.say("\")");
    }

    /// Goes on with the beginning of an insertion of such rows.
    pub(super) fn insert_into(&mut self, row: &Row) {
        self.say("INSERT INTO \"");
        self.say(row.table);
        self.say("\" (");
        for (index, name) in row.names.iter().enumerate() {
            self.say(if index > 0 { ", \"" } else { "\"" });
            self.say(name);
            self.say("\"");
        }
        self.say(")");
    }

    /// Goes on with one more row of an insertion.
    pub(super) fn and_row(&mut self, row: Row) {
        self.say(", ");
        self.add_row(row);
    }

    fn add_row(&mut self, row: Row) {
        for index in 0..row.values.len() {
            self.say(if index > 0 { ", ?" } else { "(?" });
        }
        self.say(")");
        self.values.extend(row.values);
    }

    /// Goes on with a query that answers one row to be inserted, where some columns are computed: `computed` has the text for those.
    pub(super) fn select(&mut self, row: Row, computed: impl Fn(&str) -> Option<String>, from: &str) {
        self.say(" SELECT ");
        for (index, (name, value)) in row.names.into_iter().zip(row.values).enumerate() {
            if index > 0 {
                self.say(", ");
            }
            match computed(name) {
                Some(text) => self.say(&text),
                None => self.bind(value),
            }
        }
        self.say(" FROM ");
        self.say(from);
    }

    /// The whole as a statement.
    pub(super) fn into_statement(self, backend: DbBackend) -> Statement {
        let text = match backend {
            DbBackend::Postgres => numbered(&self.text, self.values.len()),
            _ => self.text,
        };
        Statement::from_sql_and_values(backend, text, self.values)
    }
}

/// The text with numbers for its values, as PostgreSQL has them.
fn numbered(text: &str, values: usize) -> String {
    let mut numbered = String::with_capacity(text.len() + 3 * values);
    for (index, piece) in text.split('?').enumerate() {
        if index > 0 {
            // Writing to memory does not fail.
            write!(numbered, "${index}").ok();
        }
        numbered.push_str(piece);
    }
    numbered
}

/// The columns of a row that are set, and their values.
#[derive(Debug)]
pub(super) struct Row {
    table: &'static str,
    names: Vec<&'static str>,
    values: Vec<Value>,
}

impl Row {
    pub(super) fn of<A: ActiveModelTrait>(mut row: A) -> Self {
        let all = <A::Entity as EntityTrait>::Column::iter();
        let (mut names, mut values) = (Vec::with_capacity(32), Vec::with_capacity(32));
        for column in all {
            match row.take(column) {
                ActiveValue::Set(value) | ActiveValue::Unchanged(value) => {
                    names.push(column.as_str());
                    values.push(value);
                }
                ActiveValue::NotSet => {}
            }
        }
        Self {
            table: A::Entity::default().table_name(),
            names,
            values,
        }
    }

    /// Columns that it sets.
    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use entity::ids::{TaskId, WorkspaceId};
    use entity::task_label;
    use sea_orm::{QueryTrait as _, Set};
    use uuid::Uuid;

    use super::*;

    fn label(text: &str) -> task_label::ActiveModel {
        task_label::ActiveModel {
            workspace_id: Set(WorkspaceId(Uuid::nil())),
            task_id: Set(TaskId(Uuid::max())),
            label: Set(text.to_owned()),
            created_at: Set(Default::default()),
            updated_at: Set(Default::default()),
        }
    }

    #[test]
    fn an_insertion_is_the_statement_that_the_library_makes() {
        for backend in [DbBackend::Postgres, DbBackend::Sqlite] {
            let mut part = Part::insert(Row::of(label("a?")));
            part.and_row(Row::of(label("b")));
            let made = part.into_statement(backend);
            let meant = task_label::Entity::insert_many([label("a?"), label("b")]).build(backend);
            assert_eq!(made, meant);
        }
    }

    #[test]
    fn an_insertion_may_hang_on_another_row() {
        let mut part = Part::default();
        part.add_where(Part::insert(Row::of(label("a"))), "stand");
        let made = part.into_statement(DbBackend::Postgres);
        let meant = "INSERT INTO \"task_labels\" (\"workspace_id\", \"label\", \"task_id\", \"created_at\", \"updated_at\") \
            SELECT given.* FROM stand CROSS JOIN (VALUES ($1, $2, $3, $4, $5)) AS given";
        assert_eq!(made.sql, meant);
    }

    #[test]
    fn many_rows_may_hang_on_another_row_as_one_list() {
        let mut part = Part::default();
        let computed = |name: &str| (name == "label").then_some("stand.word || given.label");
        let rows = vec![Row::of(label("a")), Row::of(label("b"))];
        part.insert_each(rows, computed, "stand");
        let made = part.into_statement(DbBackend::Postgres);
        let meant = "INSERT INTO \"task_labels\" (\"workspace_id\", \"label\", \"task_id\", \"created_at\", \"updated_at\") \
            SELECT given.\"workspace_id\", stand.word || given.label, given.\"task_id\", given.\"created_at\", given.\"updated_at\" \
            FROM stand CROSS JOIN (VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10)) \
            AS given (\"workspace_id\", \"label\", \"task_id\", \"created_at\", \"updated_at\")";
        assert_eq!(made.sql, meant);
    }

    #[test]
    fn what_is_computed_takes_the_place_of_the_value() {
        let row = Row::of(label("a"));
        let mut part = Part::default();
        let computed = |name: &str| (name == "label").then(|| "lower(found.text)".to_owned());
        part.select(row, computed, "found");
        let made = part.into_statement(DbBackend::Postgres);
        let meant = " SELECT $1, lower(found.text), $2, $3, $4 FROM found";
        assert_eq!(made.sql, meant);
        assert_eq!(made.values.map(|values| values.0.len()), Some(4));
    }
}
