//! Whether one schema is a part of another: what it has, it has in the same way.

use super::model::{Member, Model, Type};

/// How our schema differs from the design.
pub enum Difference {
    /// A name that the design does not have.
    Added(String),
    /// Something that the design has in another way, as a sentence.
    Changed(String),
}

use Difference::{Added, Changed};

/// Everything that has no description.
pub fn undescribed(model: &Model) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |is_described: bool, name: String| {
        if !is_described {
            found.push(format!("{name} has no description"));
        }
    };
    for (name, ty) in &model.types {
        // `#[Object]` and `#[Scalar]` look at the `impl`; `use_type_description` with `derive(Description)` takes the type's words.
        note(ty.is_described, name.clone());
        for (field, member) in &ty.members {
            note(member.is_described, format!("{name}.{field}"));
            for (argument, value) in &member.arguments {
                note(value.is_described, format!("{name}.{field}({argument})"));
            }
        }
    }
    found
}

/// All differences of our schema. Types, fields and values that only the design has are no difference; arguments and required fields are,
/// because a client of the design could not call us without them.
pub fn differences(ours: &Model, design: &Model) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, ty) in &ours.types {
        match design.types.get(name) {
            Some(wanted) => compare_types(name, ty, wanted, &mut found),
            None => found.push(Added(name.clone())),
        }
    }
    found
}

fn compare_types(name: &str, ours: &Type, design: &Type, found: &mut Vec<Difference>) {
    if ours.kind != design.kind {
        found.push(Changed(format!(
            "{name} is {}, the design has {}",
            ours.kind, design.kind
        )));
        return;
    }
    if ours.is_one_of != design.is_one_of {
        let not = |is: bool| if is { "is" } else { "is not" };
        let (we, they) = (
            not(ours.is_one_of),
            if design.is_one_of { "is" } else { "is not" },
        );
        found.push(Changed(format!("{name} {we} @oneOf, the design {they}")));
    }
    for interface in &design.implements {
        if !ours.implements.contains(interface) {
            found.push(Changed(format!("{name} does not implement {interface}")));
        }
    }
    for interface in &ours.implements {
        if !design.implements.contains(interface) {
            found.push(Changed(format!(
                "{name} implements {interface}, not so in the design"
            )));
        }
    }
    for (field, member) in &ours.members {
        let path = format!("{name}.{field}");
        match design.members.get(field) {
            Some(wanted) => compare_fields(&path, member, wanted, found),
            None => found.push(Added(path)),
        }
    }
    // Clients of the design send these; an input that does not know them would refuse.
    if ours.kind == "an input" {
        for (field, wanted) in &design.members {
            if wanted.ty.ends_with('!') && wanted.default.is_none() && !ours.members.contains_key(field) {
                found.push(Changed(format!("{name} lacks the required field {field}")));
            }
        }
    }
}

fn compare_fields(path: &str, ours: &Member, design: &Member, found: &mut Vec<Difference>) {
    compare_values(path, ours, design, found);
    for (argument, value) in &ours.arguments {
        let path = format!("{path}({argument})");
        match design.arguments.get(argument) {
            Some(wanted) => compare_values(&path, value, wanted, found),
            None => found.push(Added(path)),
        }
    }
    for argument in design.arguments.keys() {
        if !ours.arguments.contains_key(argument) {
            found.push(Changed(format!("{path} lacks the argument {argument}")));
        }
    }
}

fn compare_values(path: &str, ours: &Member, design: &Member, found: &mut Vec<Difference>) {
    if ours.ty != design.ty {
        found.push(Changed(format!(
            "{path} is {}, the design has {}",
            ours.ty, design.ty
        )));
    }
    if ours.default != design.default {
        let we = ours
            .default
            .as_ref()
            .map_or("has no default".to_owned(), |value| {
                format!("has the default {value}")
            });
        let they = design.default.as_deref().unwrap_or("none");
        found.push(Changed(format!("{path} {we}, the design has {they}")));
    }
}
