//! What a database says about how it would run a statement, and what must not be in there.

use meridian::platform::db::migration_connection;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::Value;

use crate::support::statements::Heard;

/// Somebody who asks for plans as the server's own connections would make them.
pub struct Planner(DatabaseConnection);

impl Planner {
    pub async fn connect(url: &str) -> Self {
        Self(migration_connection(url).await.unwrap())
    }

    /// What is wrong with how the statement runs; empty when nothing is.
    pub async fn faults(&self, heard: &Heard) -> Vec<String> {
        if self.0.get_database_backend() == DbBackend::Postgres {
            let plan = self.postgres(heard).await;
            let mut faults = Vec::new();
            look(&plan["Plan"], false, &mut faults);
            // Each part of a union ends with the page; whether to sort the few rows of one is for the planner to say.
            let is_union = heard.sql.contains(" UNION ALL ");
            faults.retain(|fault| !is_union || !fault.starts_with(SORTS));
            return faults;
        }
        let explain = format!("EXPLAIN QUERY PLAN {}", heard.sql);
        let steps = self
            .0
            .query_all_raw(Statement::from_string(DbBackend::Sqlite, explain));
        let steps = steps
            .await
            .unwrap_or_else(|error| panic!("{error}: {}", heard.sql));
        let steps: Vec<String> = steps
            .iter()
            .map(|row| row.try_get("", "detail").unwrap())
            .collect();
        sqlite(&steps, &heard.sql)
    }

    /// The plan that serves whatever values come.
    async fn postgres(&self, heard: &Heard) -> Value {
        let role = if heard.scope == "system" {
            "meridian_system"
        } else {
            "meridian_app"
        };
        let parameters = (1..)
            .take_while(|number| heard.sql.contains(&format!("${number}")))
            .count();
        let nothing = vec!["NULL"; parameters].join(", ");
        let nothing = if parameters == 0 {
            nothing
        } else {
            format!("({nothing})")
        };
        for text in [
            // Tables of a test are small enough to be read as a whole; what is asked is whether something better is there for large ones.
            format!("SET ROLE {role}; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"),
            format!("PREPARE asked AS {}", heard.sql),
        ] {
            let done = self.0.execute_unprepared(&text).await;
            done.unwrap_or_else(|error| panic!("{error}: {text}"));
        }
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE asked{nothing}");
        let explain = Statement::from_string(DbBackend::Postgres, explain);
        let row = self.0.query_one_raw(explain).await.unwrap().unwrap();
        let mut plan: Value = row.try_get("", "QUERY PLAN").unwrap();
        self.0
            .execute_unprepared("DEALLOCATE asked; RESET ROLE")
            .await
            .unwrap();
        plan[0].take()
    }
}

/// Tables that have a handful of rows for the whole installation, and what the workers write down about themselves.
const SMALL: [&str; 4] = ["job_queues", "job_workers", "processes", "withdrawals"];

/// Lists of ids, and what earlier steps of a statement left behind, by the names that statements give it.
const LEFT_BEHIND: [&str; 11] = [
    "json_each",
    "CONSTANT",
    "found",
    "listed",
    "numbered",
    "near",
    "long",
    "endless",
    "ending",
    "moved",
    "inside",
];

const SORTS: &str = "a page that sorts all";

fn look(node: &Value, is_page: bool, faults: &mut Vec<String>) {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let table = node["Relation Name"].as_str().unwrap_or_default();
    let is_scan_of_all = kind == "Seq Scan" || (kind.starts_with("Index") && node["Index Cond"].is_null());
    // A table of a page or two is as well read along an index of its own.
    let is_cheap = node["Total Cost"].as_f64().is_some_and(|cost| cost < 60.0);
    if is_scan_of_all && !is_cheap && !SMALL.contains(&table) {
        // A walk along an index that ends with the page reads no more than the page, if nothing else has to be thrown away.
        faults.push(format!("{kind} of {table} without a condition"));
    }
    if kind == "Sort" && is_page && !is_bounded(node) {
        faults.push(format!("{SORTS} by {}", node["Sort Key"]));
    }
    let is_page = match kind {
        "Limit" => true,
        // What is below is read as a whole, and is a question of its own.
        "Aggregate" | "SubqueryScan" | "CTE Scan" => false,
        _ => is_page,
    };
    for below in node["Plans"].as_array().into_iter().flatten() {
        look(below, is_page, faults);
    }
}

/// Whether every path to a table has a limit on it, or the table is asked for one row.
fn is_bounded(node: &Value) -> bool {
    if node["Node Type"] == "Limit" {
        return true;
    }
    let below = node["Plans"].as_array();
    below.is_some_and(|below| !below.is_empty() && below.iter().all(is_bounded))
}

fn sqlite(steps: &[String], sql: &str) -> Vec<String> {
    let whole = steps.join(" | ");
    let mut faults = Vec::new();
    for step in steps {
        let of = step.strip_prefix("SCAN ").unwrap_or_default();
        let of = of.split_whitespace().next().unwrap_or_default().trim_matches('"');
        // Lists of ids, and what earlier steps left behind.
        let is_table = !of.is_empty()
            && !of.starts_with("(subquery")
            && !LEFT_BEHIND.contains(&of)
            && !SMALL.contains(&of);
        if is_table {
            faults.push(format!("{step}: {whole}"));
        }
        // Of what lies in a range, whatever starts before its end: the whole history.
        if step.ends_with("start_utc<?)") && !step.contains("start_utc>?") && sql.contains("AS \"near\"") {
            faults.push(format!("{step}: {whole}"));
        }
        // Asked for some objects, it looks at all of the workspace.
        if step.ends_with("(workspace_id=?)") && whole.contains("json_each") && !sql.contains(" LIMIT ") {
            faults.push(format!("{step}: {whole}"));
        }
    }
    let sorts = steps.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY");
    if sorts && sql.contains(" LIMIT ") && !sql.contains(" UNION ALL ") {
        faults.push(format!("{SORTS}: {whole}"));
    }
    faults
}

#[test]
fn plans_that_read_too_much_are_told_from_those_that_do_not() {
    let walk = serde_json::json!({ "Node Type": "Index Scan", "Relation Name": "tasks", "Index Cond": "(workspace_id = $1)" });
    let faults = |plan: Value| {
        let mut faults = Vec::new();
        look(&plan, false, &mut faults);
        faults
    };
    let over = |kind: &str, below: &Value| serde_json::json!({ "Node Type": kind, "Plans": [below] });
    assert!(faults(over("Limit", &walk)).is_empty());
    assert!(
        faults(over("Sort", &walk)).is_empty(),
        "an answer that is all of it"
    );
    assert_eq!(faults(over("Limit", &over("Sort", &walk))).len(), 1);
    assert!(faults(over("Limit", &over("Sort", &over("Limit", &walk)))).is_empty());
    assert_eq!(
        faults(serde_json::json!({ "Node Type": "Seq Scan", "Relation Name": "tasks" })).len(),
        1
    );
    let steps = |text: &str| vec![text.to_owned()];
    assert_eq!(sqlite(&steps("SCAN tasks"), "").len(), 1);
    assert!(sqlite(&steps("SCAN json_each VIRTUAL TABLE INDEX 1:"), "").is_empty());
    assert_eq!(
        sqlite(&steps("USE TEMP B-TREE FOR ORDER BY"), "SELECT 1 LIMIT 2").len(),
        1
    );
}
