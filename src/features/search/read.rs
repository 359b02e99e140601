//! Words to objects: the index gives ids, best first; the objects are read as everything else is, so that both walls between workspaces
//! stand in front of what is shown.

use std::collections::HashMap;

use entity::ids::{CalendarEventId, TaskId};
use entity::task;
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::access::Ctx;
use crate::features::events::{self, Event};
use crate::features::tasks;
use crate::kernel::{Error, Result};
use crate::platform::db::Scope;

/// Most results.
const MOST: i32 = 50;
/// Most words of a question that are looked at, and of each of them most characters.
const MOST_WORDS: usize = 10;
const LONGEST_WORD: usize = 60;

/// Something that was found.
#[derive(Clone, Debug)]
pub enum Found {
    /// An event or a series.
    Event(Box<Event>),
    /// A task.
    Task(Box<task::Model>),
}

/// What has all these words, or words that begin with them, best first.
pub async fn search(ctx: &Ctx, query: &str, first: i32) -> Result<Vec<Found>> {
    if !(1..=MOST).contains(&first) {
        return Err(Error::bad_input(format!("`first` must be between 1 and {MOST}.")));
    }
    let words = words(query);
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let most = usize::try_from(first).unwrap_or_default();
    // Private events of others are found by the index and left out here.
    let ids = ids(ctx, &words, first * 2 + 20).await?;
    let of_kind = |wanted: &'static str| {
        ids.iter()
            .filter(move |(kind, _)| kind == wanted)
            .map(|(_, id)| *id)
    };
    let event_ids: Vec<CalendarEventId> = of_kind("event").map(CalendarEventId).collect();
    let task_ids: Vec<TaskId> = of_kind("task").map(TaskId).collect();
    let mut found: HashMap<Uuid, Found> = HashMap::new();
    if !event_ids.is_empty() {
        let rows = events::get_many(ctx, &event_ids).await?.into_iter();
        let open = rows.filter(|event| !event.is_masked);
        found.extend(open.map(|event| (event.row.id.0, Found::Event(Box::new(event)))));
    }
    if !task_ids.is_empty() {
        let rows = tasks::get_many(ctx, &task_ids).await?.into_iter();
        found.extend(rows.map(|row| (row.id.0, Found::Task(Box::new(row)))));
    }
    Ok(ids
        .iter()
        .filter_map(|(_, id)| found.remove(id))
        .take(most)
        .collect())
}

/// The words of a question: letters and digits, in lower case.
fn words(query: &str) -> Vec<String> {
    query
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MOST_WORDS)
        .map(|word| word.chars().take(LONGEST_WORD).collect::<String>().to_lowercase())
        .collect()
}

/// Kinds and ids, best first. The statement names its workspace; on PostgreSQL it runs where row-level security cannot keep the planner from
/// the index, and it returns nothing but ids.
async fn ids(ctx: &Ctx, words: &[String], most: i32) -> Result<Vec<(String, Uuid)>> {
    let workspace = ctx.workspace_id().0;
    let read = ctx.platform().db.read(Scope::System).await?;
    let backend = read.get_database_backend();
    let (sql, values): (String, Vec<Value>) = if backend == DbBackend::Postgres {
        let prefixes: Vec<String> = words.iter().map(|word| format!("'{word}':*")).collect();
        let query = format!("'#{workspace}' & {}", prefixes.join(" & "));
        (postgres(), vec![query.into(), workspace.into(), most.into()])
    } else {
        let prefixes: Vec<String> = words
            .iter()
            .map(|word| format!("{{title body}} : \"{word}\" *"))
            .collect();
        let query = format!("scope : w{} AND {}", workspace.simple(), prefixes.join(" AND "));
        // The limit inside keeps the ranks out of the grouping, where SQLite cannot make them.
        let sql = "SELECT kind, object FROM (SELECT kind, object, bm25(search_texts, 0.0, 10.0, 1.0) AS score \
                   FROM search_texts WHERE search_texts MATCH ? ORDER BY score LIMIT 2000) \
                   GROUP BY kind, object ORDER BY min(score) LIMIT ?";
        (sql.to_owned(), vec![query.into(), most.into()])
    };
    let rows = read
        .query_all_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    let pair = |row: &QueryResult| -> std::result::Result<(String, Uuid), DbErr> {
        Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
    };
    Ok(rows.iter().map(pair).collect::<std::result::Result<_, DbErr>>()?)
}

/// The expressions are those of the indexes, letter by letter.
fn postgres() -> String {
    let words = |text: &str| {
        format!(
            "to_tsvector('simple'::regconfig, regexp_replace(lower({text} COLLATE meridian_letters), '[[:punct:]]+', ' ', 'g'))"
        )
    };
    let branch = |(kind, table, id): (&str, &str, &str), title: &str, body: &str, only: &str| {
        let (title, body) = (words(title), words(body));
        let text = format!(
            "(array_to_tsvector(ARRAY['#' || workspace_id::text]) || setweight({title}, 'A') || setweight({body}, 'C'))"
        );
        format!(
            "(SELECT '{kind}'::text AS kind, {id} AS id, ts_rank({text}, $1::text::tsquery) AS score, updated_at FROM {table} \
             WHERE {text} @@ $1::text::tsquery AND workspace_id = $2{only} LIMIT 1000)"
        )
    };
    let title = "left(title, 2000)";
    let event = branch(
        ("event", "calendar_events", "id"),
        title,
        "left(coalesce(description, '') || ' ' || coalesce(location, ''), 50000)",
        "",
    );
    // What single occurrences have otherwise leads to their series.
    let occurrence = branch(
        ("event", "event_overrides", "event_id"),
        "left(coalesce(patch ->> 'title', ''), 2000)",
        "left(coalesce(patch ->> 'description', '') || ' ' || coalesce(patch ->> 'location', ''), 50000)",
        " AND NOT cancelled AND coalesce(patch ->> 'visibility', '') <> 'private'",
    );
    let task = branch(
        ("task", "tasks", "id"),
        title,
        "left(coalesce(description, ''), 50000)",
        "",
    );
    format!(
        "SELECT kind, id FROM ({event} UNION ALL {occurrence} UNION ALL {task}) AS found \
         GROUP BY kind, id ORDER BY max(score) DESC, max(updated_at) DESC, id LIMIT $3"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_letters_and_digits_reach_the_index() {
        assert_eq!(
            words("  Ben's \"week-end\"  ÜBER:* 'x' "),
            ["ben", "s", "week", "end", "über", "x"]
        );
        assert!(words("-- '' :*").is_empty());
    }
}
