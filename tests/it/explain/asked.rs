//! Documents made from the schema: one for each list that hangs on a workspace or on the viewer, with whatever can be asked of its objects
//! at once. A list that is added is in here by itself.

use std::fmt::Write as _;

use crate::contract::model::{Member, Model};

/// Arguments that a field cannot do without.
const NEEDED: &[(&str, &str)] = &[
    (
        "range",
        "{ start: \"2026-03-01T00:00:00Z\", end: \"2026-03-15T00:00:00Z\" }",
    ),
    ("from", "\"2026-03-01\""),
    ("to", "\"2026-03-15\""),
];

/// A list with one way of asking for it.
pub struct List {
    /// For messages.
    pub name: String,
    /// On what it hangs.
    pub on: &'static str,
    field: String,
    arguments: String,
    selection: String,
    /// Whether it has pages.
    pub has_pages: bool,
}

impl List {
    /// The document. `page` names which page, such as `first: 20`.
    pub fn document(&self, page: &str) -> String {
        let arguments = [page, &self.arguments].map(str::trim);
        let arguments: Vec<&str> = arguments.into_iter().filter(|part| !part.is_empty()).collect();
        let arguments = if arguments.is_empty() {
            String::new()
        } else {
            format!("({})", arguments.join(", "))
        };
        let field = format!("list: {}{arguments} {}", self.field, self.selection);
        match self.on {
            "Workspace" => format!("query ($id: ID!) {{ on: workspace(id: $id) {{ {field} }} }}"),
            _ => format!("query ($id: ID!) {{ on: viewer {{ {field} }} unused: node(id: $id) {{ id }} }}"),
        }
    }
}

/// The name of a type without its wrappings.
pub fn named(ty: &str) -> &str {
    ty.trim_matches(['[', ']', '!'])
}

/// All lists of these types, in every order.
pub fn lists(schema: &Model) -> Vec<List> {
    let mut lists = Vec::new();
    for on in ["Workspace", "Viewer"] {
        for (field, member) in &schema.types[on].members {
            let ty = named(&member.ty);
            let has_pages = ty.ends_with("Connection");
            let is_composite = schema
                .types
                .get(ty)
                .is_some_and(|ty| ["an object", "a union", "an interface"].contains(&ty.kind));
            if !is_composite || (!has_pages && !member.ty.starts_with('[')) {
                continue;
            }
            let depth = if has_pages { 3 } else { 2 };
            let selection = everything(schema, ty, depth);
            for arguments in ways(schema, field, member) {
                lists.push(List {
                    name: format!("{on}.{field}({arguments})"),
                    on,
                    field: field.clone(),
                    arguments,
                    selection: selection.clone(),
                    has_pages,
                });
            }
        }
    }
    lists
}

fn ways(schema: &Model, field: &str, member: &Member) -> Vec<String> {
    let mut fixed = String::new();
    for (name, argument) in &member.arguments {
        if argument.ty.ends_with('!') && argument.default.is_none() {
            write!(fixed, "{name}: {} ", needed(field, name)).unwrap();
        }
    }
    let Some(order) = member.arguments.get("orderBy") else {
        return vec![fixed];
    };
    let fields = &schema.types[named(&order.ty)].members["field"];
    let mut ways = Vec::new();
    for value in schema.types[named(&fields.ty)].members.keys() {
        for direction in ["ASC", "DESC"] {
            ways.push(format!(
                "{fixed}orderBy: {{ field: {value}, direction: {direction} }}"
            ));
        }
    }
    ways
}

fn needed(field: &str, name: &str) -> &'static str {
    let known = NEEDED.iter().find(|(known, _)| *known == name);
    known
        .unwrap_or_else(|| panic!("say what `{name}` of {field} is"))
        .1
}

/// A selection of all that needs no arguments, so deep.
pub fn everything(schema: &Model, ty: &str, depth: usize) -> String {
    let definition = &schema.types[ty];
    let mut text = "{ __typename".to_owned();
    if definition.kind == "an object" {
        for (name, member) in &definition.members {
            let asks_for_more = member
                .arguments
                .values()
                .any(|argument| argument.ty.ends_with('!') && argument.default.is_none());
            let inner = schema.types.get(named(&member.ty));
            let is_leaf = inner.is_none_or(|inner| ["a scalar", "an enum"].contains(&inner.kind));
            // Lists inside of lists are lists of their own; edges say what nodes say.
            let is_page = named(&member.ty).ends_with("Connection") || name == "edges";
            if asks_for_more || is_page || (!is_leaf && depth == 0) {
                continue;
            }
            write!(text, " {name}").unwrap();
            if !is_leaf {
                write!(text, " {}", everything(schema, named(&member.ty), depth - 1)).unwrap();
            }
        }
    }
    text.push_str(" }");
    text
}
