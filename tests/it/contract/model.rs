//! A schema document as plain names and types, so that two of them can be compared.

use std::collections::BTreeMap;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    ConstDirective, FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};

/// All types of a schema by name.
pub struct Model {
    pub types: BTreeMap<String, Type>,
}

/// A type with everything in it that has a name: fields, enum values, members of a union.
pub struct Type {
    pub kind: &'static str,
    pub is_described: bool,
    pub is_one_of: bool,
    pub implements: Vec<String>,
    pub members: BTreeMap<String, Member>,
}

/// A field, an enum value or a member of a union.
#[derive(Default)]
pub struct Member {
    pub is_described: bool,
    /// Empty where there is none: enum values and members of unions.
    pub ty: String,
    pub default: Option<String>,
    pub arguments: BTreeMap<String, Member>,
}

impl Model {
    /// Reads a document; directives and the names of the root types do not matter.
    pub fn parse(document: &str) -> Self {
        let document = parse_schema(document).unwrap_or_else(|error| panic!("not a schema: {error}"));
        let types = document
            .definitions
            .into_iter()
            .filter_map(|definition| match definition {
                TypeSystemDefinition::Type(definition) => {
                    Some((definition.node.name.node.to_string(), definition.node.into()))
                }
                TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
            })
            .collect();
        Self { types }
    }
}

impl From<TypeDefinition> for Type {
    fn from(definition: TypeDefinition) -> Self {
        let is_described = is_text(definition.description.as_ref());
        let (kind, implements, members) = match definition.kind {
            TypeKind::Scalar => ("a scalar", Vec::new(), BTreeMap::new()),
            TypeKind::Object(object) => ("an object", names(object.implements), fields(object.fields)),
            TypeKind::Interface(interface) => (
                "an interface",
                names(interface.implements),
                fields(interface.fields),
            ),
            TypeKind::Union(union) => {
                // Members of a union are described where they are defined.
                let member = |name| {
                    let member = Member {
                        is_described: true,
                        ..Member::default()
                    };
                    (name, member)
                };
                let members = names(union.members).into_iter().map(member).collect();
                ("a union", Vec::new(), members)
            }
            TypeKind::Enum(definition) => {
                let member = |value: Positioned<async_graphql::parser::types::EnumValueDefinition>| {
                    let member = Member {
                        is_described: is_text(value.node.description.as_ref()),
                        ..Member::default()
                    };
                    (value.node.value.node.to_string(), member)
                };
                let members = definition.values.into_iter().map(member).collect();
                ("an enum", Vec::new(), members)
            }
            TypeKind::InputObject(input) => ("an input", Vec::new(), inputs(input.fields)),
        };
        Self {
            kind,
            is_described,
            is_one_of: has_directive(&definition.directives, "oneOf"),
            implements,
            members,
        }
    }
}

fn is_text(description: Option<&Positioned<String>>) -> bool {
    description.is_some_and(|text| !text.node.trim().is_empty())
}

fn has_directive(directives: &[Positioned<ConstDirective>], name: &str) -> bool {
    directives
        .iter()
        .any(|directive| directive.node.name.node == name)
}

fn names(names: Vec<Positioned<async_graphql::Name>>) -> Vec<String> {
    names.into_iter().map(|name| name.node.to_string()).collect()
}

fn fields(fields: Vec<Positioned<FieldDefinition>>) -> BTreeMap<String, Member> {
    let member = |field: Positioned<FieldDefinition>| {
        let field = field.node;
        let member = Member {
            is_described: is_text(field.description.as_ref()),
            ty: field.ty.node.to_string(),
            default: None,
            arguments: inputs(field.arguments),
        };
        (field.name.node.to_string(), member)
    };
    fields.into_iter().map(member).collect()
}

fn inputs(values: Vec<Positioned<InputValueDefinition>>) -> BTreeMap<String, Member> {
    let member = |value: Positioned<InputValueDefinition>| {
        let value = value.node;
        let member = Member {
            is_described: is_text(value.description.as_ref()),
            ty: value.ty.node.to_string(),
            default: value.default_value.map(|default| default.node.to_string()),
            arguments: BTreeMap::new(),
        };
        (value.name.node.to_string(), member)
    };
    values.into_iter().map(member).collect()
}
