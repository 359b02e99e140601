//! One prepared statement and one way of writing for each question.

use std::borrow::Cow;

use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

use crate::json::Json;
use crate::request::{NewTask, Request};
use crate::scalars::{Micros, RawJson, read_id};
use crate::{Caller, Floor, Result};

const TASK: &str = "SELECT id, version, title, status, priority, energy, duration_minutes, due_at, is_auto_scheduled, labels, \
    created_at, updated_at FROM tasks WHERE id = $1 AND workspace_id = ANY ($2)";

const TASKS: &str = "SELECT t.id, t.title, t.status, t.priority, t.energy, t.duration_minutes, t.due_at, t.is_auto_scheduled, \
    t.labels, a.id, a.name, c.id, c.name FROM (SELECT * FROM tasks WHERE workspace_id = $1 ORDER BY due_at, id LIMIT 51) t \
    LEFT JOIN users a ON a.id = t.assignee_id LEFT JOIN users c ON c.id = t.created_by ORDER BY t.due_at, t.id";

const PLAN: &str = "SELECT e.id, e.title, e.start_utc, e.end_utc, c.id, c.name, c.color, t.id, t.title, t.status, t.priority, \
    t.due_at, t.duration_minutes, t.labels, u.id, u.name \
    FROM (SELECT * FROM calendar_events WHERE workspace_id = $1 ORDER BY start_utc, id LIMIT 51) e \
    JOIN calendars c ON c.id = e.calendar_id LEFT JOIN tasks t ON t.id = e.task_id LEFT JOIN users u ON u.id = t.assignee_id \
    ORDER BY e.start_utc, e.id";

const WEEK: &str = "SELECT e.id, e.title, e.start_utc, e.end_utc, e.kind = 'all_day', e.status, e.location, c.id, c.name, c.color \
    FROM (SELECT * FROM calendar_events WHERE workspace_id = $1 AND NOT is_recurring AND start_utc < $3 AND end_utc > $2 \
    UNION ALL SELECT * FROM calendar_events WHERE workspace_id = $1 AND is_recurring AND start_utc < $3 \
    AND (series_end_utc IS NULL OR series_end_utc > $2)) e \
    JOIN calendars c ON c.id = e.calendar_id ORDER BY e.start_utc, e.id LIMIT 101";

const CREATE: &str = "WITH old AS (SELECT change_seq + 1 AS change, audit_seq + 1 AS audit, audit_hash AS hash \
        FROM workspace_counters WHERE workspace_id = $1 FOR UPDATE), \
    counter AS (UPDATE workspace_counters SET change_seq = old.change, audit_seq = old.audit, \
        audit_hash = sha256(old.hash || uuid_send($2)) FROM old WHERE workspace_id = $1), \
    task AS (INSERT INTO tasks (id, workspace_id, version, title, status, priority, energy, duration_minutes, completed_minutes, \
        position, due_at, is_hard_deadline, is_auto_scheduled, labels, assignee_id, created_by, created_at, updated_at) \
        VALUES ($2, $1, 1, $3, 'todo', $4, 'medium', 30, 0, 0, $5, false, true, to_jsonb($6::text[]), $7, $7, $8, $8)), \
    labels AS (INSERT INTO task_labels (workspace_id, label, task_id, created_at, updated_at) \
        SELECT $1, label, $2, $8, $8 FROM unnest($6::text[]) label), \
    change AS (INSERT INTO change_log (workspace_id, seq, action, object_type, object_id, actor_id, created_at) \
        SELECT $1, change, 'created', 'Task', $2, $7, $8 FROM old) \
    INSERT INTO audit_logs (id, workspace_id, seq, actor_kind, actor_id, action, entity_type, entity_id, prev_hash, hash, created_at) \
    SELECT $9, $1, audit, 'token', $7, 'task.created', 'Task', $2, hash, sha256(hash || uuid_send($2)), $8 FROM old";

const PERSON: &str = "SELECT name FROM users WHERE id = $1";

/// One connection with everything prepared.
pub(crate) struct Database {
    client: Client,
    task: Statement,
    tasks: Statement,
    plan: Statement,
    week: Statement,
    create: Statement,
    person: Statement,
}

impl Database {
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(Self {
            task: client.prepare(TASK).await?,
            tasks: client.prepare(TASKS).await?,
            plan: client.prepare(PLAN).await?,
            week: client.prepare(WEEK).await?,
            create: client.prepare(CREATE).await?,
            person: client.prepare(PERSON).await?,
            client,
        })
    }
}

/// Answers one question.
pub(crate) async fn answer(floor: &Floor, caller: &Caller, request: Request<'_>) -> Result<Vec<u8>> {
    let database = floor.database();
    let id = request.variables.id;
    match request.operation_name {
        "q1" => task(database, caller, id).await,
        "q2" => plan(database, enter(caller, id)?).await,
        "q2t" => tasks(database, enter(caller, id)?).await,
        "q3" => {
            let range = request.variables.range.ok_or("range is missing")?;
            let span = (Micros::read(range.start)?, Micros::read(range.end)?);
            week(database, enter(caller, id)?, span).await
        }
        "q4" => {
            let new = request.variables.input.ok_or("input is missing")?;
            create(floor, caller, new).await
        }
        name => Err(format!("no such question: {name}").into()),
    }
}

/// The workspace, if the caller is a member.
pub(crate) fn enter(caller: &Caller, id: &str) -> Result<Uuid> {
    let id = read_id(id)?;
    if caller.workspaces.contains(&id) {
        Ok(id)
    } else {
        Err("not a member".into())
    }
}

async fn task(database: &Database, caller: &Caller, id: &str) -> Result<Vec<u8>> {
    let id = read_id(id)?;
    let row = database
        .client
        .query_one(&database.task, &[&id, &caller.workspaces])
        .await?;
    let mut json = Json::new("{\"data\":{\"task\":{\"id\":");
    json.id("task", row.get(0))
        .raw(",\"version\":")
        .number(row.get(1));
    json.raw(",\"title\":")
        .text(row.get(2))
        .raw(",\"status\":")
        .word(row.get(3));
    json.raw(",\"priority\":")
        .word(priority(row.get(4)))
        .raw(",\"energy\":")
        .word(row.get(5));
    json.raw(",\"durationMinutes\":")
        .number(row.get(6))
        .raw(",\"dueAt\":")
        .optional_instant(row.get(7));
    json.raw(",\"isAutoScheduled\":").flag(row.get(8));
    labels(json.raw(",\"labels\":"), row.get(9))?;
    json.raw(",\"createdAt\":")
        .instant(row.get(10))
        .raw(",\"updatedAt\":")
        .instant(row.get(11));
    Ok(json.end("}}}"))
}

async fn tasks(database: &Database, workspace: Uuid) -> Result<Vec<u8>> {
    let rows = database.client.query(&database.tasks, &[&workspace]).await?;
    let mut json = Json::new("{\"data\":{\"workspace\":{\"tasks\":{\"nodes\":[");
    for (index, row) in rows.iter().take(50).enumerate() {
        json.raw(if index > 0 { ",{\"id\":" } else { "{\"id\":" })
            .id("task", row.get(0));
        json.raw(",\"title\":")
            .text(row.get(1))
            .raw(",\"status\":")
            .word(row.get(2));
        json.raw(",\"priority\":")
            .word(priority(row.get(3)))
            .raw(",\"energy\":")
            .word(row.get(4));
        json.raw(",\"durationMinutes\":")
            .number(row.get(5))
            .raw(",\"dueAt\":")
            .optional_instant(row.get(6));
        json.raw(",\"isAutoScheduled\":").flag(row.get(7));
        labels(json.raw(",\"labels\":"), row.get(8))?;
        person(json.raw(",\"assignee\":"), row.get(9), row.get(10));
        person(json.raw(",\"createdBy\":"), row.get(11), row.get(12));
        json.raw("}");
    }
    Ok(page(json, rows.len() > 50))
}

async fn plan(database: &Database, workspace: Uuid) -> Result<Vec<u8>> {
    let rows = database.client.query(&database.plan, &[&workspace]).await?;
    let mut json = Json::new("{\"data\":{\"workspace\":{\"calendarEvents\":{\"nodes\":[");
    for (index, row) in rows.iter().take(50).enumerate() {
        json.raw(if index > 0 { ",{\"id\":" } else { "{\"id\":" })
            .id("evt", row.get(0));
        json.raw(",\"title\":")
            .text(row.get(1))
            .raw(",\"start\":")
            .instant(row.get(2));
        json.raw(",\"end\":").instant(row.get(3));
        calendar(json.raw(",\"calendar\":"), row, 4);
        match row.get::<_, Option<Uuid>>(7) {
            None => json.raw(",\"task\":null"),
            Some(id) => {
                json.raw(",\"task\":{\"id\":")
                    .id("task", id)
                    .raw(",\"title\":")
                    .text(row.get(8));
                json.raw(",\"status\":")
                    .word(row.get(9))
                    .raw(",\"priority\":")
                    .word(priority(row.get(10)));
                json.raw(",\"dueAt\":").optional_instant(row.get(11));
                json.raw(",\"durationMinutes\":").number(row.get(12));
                labels(json.raw(",\"labels\":"), row.get(13))?;
                person(json.raw(",\"assignee\":"), row.get(14), row.get(15));
                json.raw("}")
            }
        };
        json.raw("}");
    }
    Ok(page(json, rows.len() > 50))
}

async fn week(database: &Database, workspace: Uuid, (start, end): (Micros, Micros)) -> Result<Vec<u8>> {
    let rows = database
        .client
        .query(&database.week, &[&workspace, &start, &end])
        .await?;
    let mut json = Json::new("{\"data\":{\"workspace\":{\"calendarEvents\":{\"nodes\":[");
    for (index, row) in rows.iter().take(100).enumerate() {
        json.raw(if index > 0 { ",{\"id\":" } else { "{\"id\":" })
            .id("evt", row.get(0));
        json.raw(",\"title\":")
            .text(row.get(1))
            .raw(",\"start\":")
            .instant(row.get(2));
        json.raw(",\"end\":")
            .instant(row.get(3))
            .raw(",\"isAllDay\":")
            .flag(row.get(4));
        json.raw(",\"status\":")
            .word(row.get(5))
            .raw(",\"location\":")
            .optional_text(row.get(6));
        calendar(json.raw(",\"calendar\":"), row, 7);
        json.raw("}");
    }
    Ok(page(json, rows.len() > 100))
}

async fn create(floor: &Floor, caller: &Caller, new: NewTask<'_>) -> Result<Vec<u8>> {
    let workspace = enter(caller, new.workspace_id)?;
    let (id, audit) = (Uuid::new_v4(), Uuid::new_v4());
    let rank = PRIORITIES
        .iter()
        .position(|name| name.eq_ignore_ascii_case(new.priority));
    let rank = i16::try_from(rank.ok_or("no such priority")?)?;
    let (due, now) = (Micros::read(new.due_at)?, Micros::now()?);
    let database = floor.database();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] = [
        &workspace,
        &id,
        &&*new.title,
        &rank,
        &due,
        &new.labels,
        &caller.id,
        &now,
        &audit,
    ];
    database.client.execute(&database.create, &values).await?;
    floor.rooms.tell(workspace, || changed(id, &new, due)).await;
    let mut json = Json::new("{\"data\":{\"createTask\":{\"task\":");
    created(&mut json, id, &new, due);
    // The person is one more look-up, as they are for the server.
    let name = database.client.query_one(&database.person, &[&caller.id]).await?;
    person(json.raw(",\"assignee\":"), Some(caller.id), name.get(0));
    Ok(json.end("},\"userErrors\":[]}}}"))
}

fn created(json: &mut Json, id: Uuid, new: &NewTask<'_>, due: Micros) {
    json.raw("{\"id\":")
        .id("task", id)
        .raw(",\"title\":")
        .text(&new.title);
    json.raw(",\"status\":\"TODO\",\"priority\":")
        .text(new.priority)
        .raw(",\"dueAt\":")
        .instant(due);
    json.raw(",\"labels\":")
        .texts(new.labels.iter().map(|label| &**label));
}

fn changed(id: Uuid, new: &NewTask<'_>, due: Micros) -> Vec<u8> {
    let mut json = Json::new("{\"data\":{\"taskChanged\":{\"action\":\"CREATED\",\"taskId\":");
    created(json.id("task", id).raw(",\"task\":"), id, new, due);
    json.end("}}}}")
}

fn page(json: Json, more: bool) -> Vec<u8> {
    json.end(if more {
        "],\"pageInfo\":{\"hasNextPage\":true}}}}}"
    } else {
        "],\"pageInfo\":{\"hasNextPage\":false}}}}}"
    })
}

fn person(json: &mut Json, id: Option<Uuid>, name: Option<&str>) {
    match (id, name) {
        (Some(id), Some(name)) => json
            .raw("{\"id\":")
            .id("user", id)
            .raw(",\"name\":")
            .text(name)
            .raw("}"),
        _ => json.raw("null"),
    };
}

fn calendar(json: &mut Json, row: &Row, first: usize) {
    json.raw("{\"id\":")
        .id("cal", row.get(first))
        .raw(",\"name\":")
        .text(row.get(first + 1));
    json.raw(",\"color\":").text(row.get(first + 2)).raw("}");
}

fn labels(json: &mut Json, stored: RawJson<'_>) -> Result<()> {
    let labels: Vec<Cow<'_, str>> = serde_json::from_str(stored.0)?;
    json.texts(labels.iter().map(|label| &**label));
    Ok(())
}

const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];

fn priority(rank: i16) -> &'static str {
    usize::try_from(rank)
        .ok()
        .and_then(|rank| PRIORITIES.get(rank))
        .unwrap_or(&"low")
}
