//! Random documents that the schema allows. The same seed makes the same documents.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use serde_json::{Value, json};

use crate::contract::model::{Member, Model};

/// The same numbers in every run (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn within(&mut self, range: Range<usize>) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        range.start + (mixed % (range.end - range.start) as u64) as usize
    }

    pub fn one_in(&mut self, of: usize) -> bool {
        self.within(0..of) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.within(0..from.len())]
    }
}

/// Ids that documents may name, by the root field that takes them.
pub type Ids = BTreeMap<&'static str, Vec<String>>;

/// A document with its variables.
pub struct Asked {
    pub document: String,
    pub variables: Value,
}

/// Makes documents.
pub struct Author<'a> {
    pub schema: &'a Model,
    pub ids: &'a Ids,
    pub random: Random,
    /// `Type.field` of all that was asked for.
    pub asked: BTreeSet<String>,
    /// Whether directives may stand in the document.
    is_directed: bool,
    fragments: Vec<String>,
    variables: BTreeMap<&'static str, (&'static str, Value)>,
    /// One alias for each field with its arguments, so that no two parts of a document contradict each other.
    aliases: BTreeMap<String, usize>,
}

/// Values for arguments, some of which are refused.
const VALUES: &[(&str, &[&str])] = &[
    ("first", &["1", "2", "3", "50", "0", "101", "-1"]),
    ("last", &["1", "2", "0", "101"]),
    ("after", &["\"nonsense\"", "null"]),
    ("before", &["null"]),
    (
        "range",
        &[
            "{start: \"2026-03-01T00:00:00Z\", end: \"2026-03-20T00:00:00Z\"}",
            "{start: \"2026-03-03T00:00:00Z\", end: \"2026-03-04T00:00:00Z\"}",
            "{start: \"2026-03-20T00:00:00Z\", end: \"2026-03-01T00:00:00Z\"}",
            "{start: \"2020-01-01T00:00:00Z\", end: \"2026-03-01T00:00:00Z\"}",
        ],
    ),
    ("from", &["\"2026-03-01\"", "\"2026-04-01\""]),
    ("to", &["\"2026-03-15\"", "\"2020-03-01\""]),
    ("slug", &["\"ana\"", "\"ben\"", "\"nobody\""]),
    ("query", &["\"task\"", "\"\"", "\"zebra\""]),
];

/// Filters and orders, which are named alike and differ by their types.
const INPUTS: &[(&str, &[&str])] = &[
    (
        "TaskFilter",
        &[
            "{statuses: [TODO]}",
            "{isBlocked: true}",
            "{labels: [\"home\"], isOverdue: false}",
            "{search: \"task\"}",
        ],
    ),
    (
        "TaskOrder",
        &[
            "{field: TITLE}",
            "{field: PRIORITY, direction: DESC}",
            "{field: CREATED_AT}",
        ],
    ),
    (
        "CalendarEventFilter",
        &[
            "{isRecurring: true}",
            "{range: {start: \"2026-03-01T00:00:00Z\", end: \"2026-03-20T00:00:00Z\"}}",
            "{range: {start: \"2026-03-05T12:00:00Z\", end: \"2026-03-06T12:00:00Z\"}, isRecurring: true}",
            "{statuses: [CONFIRMED]}",
            "{search: \"event\"}",
        ],
    ),
    (
        "CalendarEventOrder",
        &["{field: TITLE, direction: DESC}", "{field: UPDATED_AT}"],
    ),
];

impl<'a> Author<'a> {
    pub fn new(schema: &'a Model, ids: &'a Ids, seed: u64) -> Self {
        Self {
            schema,
            ids,
            random: Random(seed),
            asked: BTreeSet::new(),
            is_directed: true,
            fragments: Vec::new(),
            variables: BTreeMap::new(),
            aliases: BTreeMap::new(),
        }
    }

    /// The next document: one to three root fields out of these.
    pub fn write(&mut self, roots: &[&'static str]) -> Asked {
        self.clear();
        let mut body = String::new();
        let most = if self.is_directed { 4 } else { 2 };
        for _ in 0..self.random.within(1..most) {
            let root = *self.random.pick(roots);
            let member = &self.schema.types["Query"].members[root];
            if let Some(field) = self.field("Query", root, member, "", 5) {
                write!(body, " {field}").unwrap();
            }
        }
        if body.is_empty() {
            body.push_str(" __typename");
        }
        self.finish(&body)
    }

    fn clear(&mut self) {
        self.fragments.clear();
        self.variables.clear();
        self.aliases.clear();
    }

    fn finish(&self, body: &str) -> Asked {
        let declared: Vec<String> = self
            .variables
            .iter()
            .map(|(name, (ty, _))| format!("${name}: {ty}"))
            .collect();
        let declared = if declared.is_empty() {
            String::new()
        } else {
            format!("({})", declared.join(", "))
        };
        let variables = self
            .variables
            .iter()
            .map(|(name, (_, value))| ((*name).to_owned(), value.clone()));
        Asked {
            document: format!("query{declared} {{{body} }} {}", self.fragments.join(" ")),
            variables: Value::Object(variables.collect()),
        }
    }

    /// The next document of the kind that front ends send most: one object, or one page or list of a workspace, and nothing else.
    pub fn write_common(&mut self) -> Asked {
        const PAGES: [&str; 6] = [
            "tasks",
            "calendarEvents",
            "members",
            "focusSessions",
            "eventOccurrences",
            "eventOccurrences",
        ];
        self.is_directed = false;
        let asked = loop {
            if self.random.one_in(2) {
                let root = *self.random.pick(&["task", "calendarEvent"]);
                break self.write(&[root]);
            }
            self.clear();
            let page = *self.random.pick(&PAGES);
            let member = &self.schema.types["Workspace"].members[page];
            let field = self.field("Workspace", page, member, "", 4);
            if let (Some(field), Some(id)) = (field, self.id("workspace")) {
                self.variables.insert("place", ("ID!", json!(id)));
                break self.finish(&format!(" workspace(id: $place) {{ {field} }}"));
            }
        };
        self.is_directed = true;
        asked
    }

    /// What is asked of an object. `prefix` stands before all keys where objects of several types may stand, whose fields may differ.
    fn selection(&mut self, ty: &str, prefix: &str, depth: usize) -> String {
        let definition = &self.schema.types[ty];
        let mut parts = Vec::new();
        if definition.kind != "an object" {
            parts.push("__typename".to_owned());
            if definition.kind == "an interface" {
                parts.push("id".to_owned());
            }
            let types = self.schema.types.iter();
            let concrete: Vec<String> = if definition.kind == "a union" {
                definition.members.keys().cloned().collect()
            } else {
                types
                    .filter(|(_, other)| other.implements.iter().any(|name| name == ty))
                    .map(|(name, _)| name.clone())
                    .collect()
            };
            for _ in 0..self.random.within(1..4) {
                let one = self.random.pick(&concrete).clone();
                let inner = self.selection(&one, &format!("{one}_"), depth.saturating_sub(1));
                parts.push(format!("... on {one} {inner}"));
            }
            return format!("{{ {} }}", parts.join(" "));
        }
        let members: Vec<(&String, &Member)> = definition.members.iter().collect();
        let mut again: Vec<(String, String)> = Vec::new();
        for _ in 0..self.random.within(2..8) {
            if self.random.one_in(9) {
                let key = if self.random.one_in(2) { "" } else { "what: " };
                parts.push(format!("{}__typename", if prefix.is_empty() { key } else { "" }));
                continue;
            }
            let (name, member) = match self.random.one_in(6) && !again.is_empty() {
                // The same once more, with another selection below: the parts are merged.
                true => {
                    let (name, _) = self.random.pick(&again).clone();
                    let member = &definition.members[&name];
                    (name, member)
                }
                false => {
                    let (name, member) = *self.random.pick(&members);
                    (name.clone(), member)
                }
            };
            let Some(mut field) = self.field(ty, &name, member, prefix, depth) else {
                continue;
            };
            again.push((name, field.clone()));
            match self.random.within(0..14) {
                0 => field = format!("... on {ty} {{ {field} }}"),
                1 => field = format!("... {{ {field} }}"),
                2 if self.is_directed => {
                    let directive = self.directive();
                    field = format!("... {directive} {{ {field} }}");
                }
                3 if definition.implements.iter().any(|name| name == "Node") && prefix.is_empty() => {
                    field = format!("... on Node {{ id __typename }} {field}");
                }
                4 => {
                    let number = self.fragments.len();
                    self.fragments
                        .push(format!("fragment F{number} on {ty} {{ {field} }}"));
                    field = format!("...F{number}");
                }
                _ => {}
            }
            parts.push(field);
        }
        if parts.is_empty() {
            parts.push("__typename".to_owned());
        }
        format!("{{ {} }}", parts.join(" "))
    }

    /// One field with its alias, arguments, directive and selection; `None` when it is too deep or nobody knows its arguments.
    fn field(&mut self, on: &str, name: &str, member: &Member, prefix: &str, depth: usize) -> Option<String> {
        let ty = named(&member.ty);
        let is_leaf = self
            .schema
            .types
            .get(ty)
            .is_none_or(|ty| ["a scalar", "an enum"].contains(&ty.kind));
        if !is_leaf && depth == 0 {
            return None;
        }
        let arguments = self.arguments(name, member)?;
        let number = self.aliases.len();
        let call = format!("{on} {prefix}{name}{arguments}");
        let plain = arguments.is_empty() && prefix.is_empty();
        let key = if plain && !self.random.one_in(5) {
            String::new()
        } else {
            let number = *self.aliases.entry(call).or_insert(number);
            format!("{prefix}{name}_{number}: ")
        };
        let directive = if self.is_directed && self.random.one_in(8) {
            format!(" {}", self.directive())
        } else {
            String::new()
        };
        self.asked.insert(format!("{on}.{name}"));
        let below = if is_leaf {
            String::new()
        } else {
            format!(" {}", self.selection(ty, "", depth - 1))
        };
        Some(format!("{key}{name}{arguments}{directive}{below}"))
    }

    fn arguments(&mut self, field: &str, member: &Member) -> Option<String> {
        let mut given = Vec::new();
        for (name, argument) in &member.arguments {
            let is_needed = argument.ty.ends_with('!') && argument.default.is_none();
            if !is_needed && !self.random.one_in(4) {
                continue;
            }
            let input = INPUTS.iter().find(|(ty, _)| *ty == named(&argument.ty));
            let value = VALUES.iter().find(|(known, _)| known == name);
            let value = match (name.as_str(), input.or(value)) {
                ("id" | "workspaceId", _) => {
                    let root = if name == "id" { field } else { "workspace" };
                    let id = self.id(root)?;
                    if self.random.one_in(3) {
                        self.variables.insert("id", ("ID!", json!(id)));
                        "$id".to_owned()
                    } else {
                        format!("\"{id}\"")
                    }
                }
                ("ids", _) => {
                    let ids: Vec<String> = (0..self.random.within(0..5))
                        .filter_map(|_| self.id("node"))
                        .collect();
                    json!(ids).to_string()
                }
                ("calendarIds", _) => {
                    let ids: Vec<String> = (0..self.random.within(0..4))
                        .filter_map(|_| self.id("calendar"))
                        .collect();
                    json!(ids).to_string()
                }
                ("range", _) if argument.ty == "DateTimeRangeInput!" && self.random.one_in(4) => {
                    let range = json!({ "start": "2026-03-01T00:00:00Z", "end": "2026-03-12T00:00:00Z" });
                    self.variables.insert("range", ("DateTimeRangeInput!", range));
                    "$range".to_owned()
                }
                (_, Some((_, values))) => (*self.random.pick(values)).to_owned(),
                _ if is_needed => return None,
                _ => continue,
            };
            given.push(format!("{name}: {value}"));
        }
        Some(if given.is_empty() {
            String::new()
        } else {
            format!("({})", given.join(", "))
        })
    }

    fn id(&mut self, root: &str) -> Option<String> {
        let ids = self.ids.get(root)?;
        Some(self.random.pick(ids).clone())
    }

    fn directive(&mut self) -> String {
        let kind = *self.random.pick(&["skip", "include"]);
        match self.random.within(0..4) {
            0 => format!("@{kind}(if: true)"),
            1 => format!("@{kind}(if: false)"),
            2 => {
                self.variables.insert("yes", ("Boolean!", json!(true)));
                format!("@{kind}(if: $yes)")
            }
            _ => {
                self.variables.insert("no", ("Boolean!", json!(false)));
                format!("@{kind}(if: $no)")
            }
        }
    }
}

/// The name of a type without its wrappings.
fn named(ty: &str) -> &str {
    ty.trim_matches(['[', ']', '!'])
}
