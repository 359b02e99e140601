//! Payloads of mutations that are commands. Each is declared once; from that come the type in the schema and the fast form, in which a
//! command that succeeded is answered: as an object like any other, whose list of failures is empty.

use crate::graphql::errors::UserError;
use crate::graphql::shape::Shape;

/// The payload of a command.
pub trait Payload: Shape {
    /// What a command answers that was refused.
    fn refused(user_errors: Vec<UserError>) -> Self;
}

/// Writes the payload of a mutation: one or more fields, and `userErrors`. Each entry is one field:
///
/// | kind | type |
/// | --- | --- |
/// | `value` | `Option` of what is written as it is |
/// | `one` | `Option` of an object |
/// | `many` | `Option<Vec>` of objects |
/// | `all` | `Vec` of objects |
/// | `plain` | `Option` of whatever has no fast form |
macro_rules! shaped_payload {
    ($name:ident, $mutation:literal, $($(#[$doc:meta])* $kind:ident $field:ident: $ty:ty),+ $(,)?) => {
        #[doc = concat!("Result of `", $mutation, "`.")]
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $name {
            $($(#[$doc])* $field: $ty,)+
            /// Expected failures. Empty on success.
            user_errors: Vec<$crate::graphql::errors::UserError>,
        }

        impl $name {
            /// What a command answers that was carried out.
            fn of($($field: impl Into<$ty>),+) -> Self {
                Self { $($field: $field.into(),)+ user_errors: Vec::new() }
            }
        }

        impl $crate::graphql::straight::Payload for $name {
            fn refused(user_errors: Vec<$crate::graphql::errors::UserError>) -> Self {
                Self { $($field: Default::default(),)+ user_errors }
            }
        }

        impl $crate::graphql::shape::Shape for $name {
            const NAME: &'static str = stringify!($name);

            fn field(name: &str) -> Option<$crate::graphql::shape::Field<Self>> {
                $(
                    if name == stringify!($field) {
                        return $crate::graphql::straight::payload_field!($kind, |payload| payload.$field);
                    }
                )+
                if name == "user_errors" {
                    return Some($crate::graphql::shape::Field::Value {
                        columns: 0,
                        write: |_, _, out| out.extend_from_slice(b"[]"),
                    });
                }
                None
            }
        }
    };
}
pub(crate) use shaped_payload;

/// The fast form of a field of a payload.
macro_rules! payload_field {
    (value, |$payload:ident| $value:expr) => {
        Some($crate::graphql::shape::Field::Value {
            columns: 0,
            write: |$payload: &Self, _, out| $crate::graphql::shape::WriteJson::write_json(&$value, out),
        })
    };
    (one, |$payload:ident| $value:expr) => {
        $crate::graphql::straight::payload_field!(@held First, |$payload| $value.iter().cloned().collect())
    };
    (many, |$payload:ident| $value:expr) => {
        $crate::graphql::straight::payload_field!(@held List, |$payload| $value.iter().flatten().cloned().collect())
    };
    (all, |$payload:ident| $value:expr) => {
        $crate::graphql::straight::payload_field!(@held List, |$payload| $value.clone())
    };
    (plain, |$payload:ident| $value:expr) => {
        None
    };
    (@held $form:ident, |$payload:ident| $parts:expr) => {
        Some($crate::graphql::shape::Field::Link {
            columns: 0,
            compile: |sets, env| {
                let form = $crate::graphql::shape::Form::$form;
                $crate::graphql::shape::held(sets, env, |$payload: &Self| $parts, form)
            },
        })
    };
}
pub(crate) use payload_field;
