//! The declaration of a type. Each entry is one field:
//!
//! ```text
//! /// Description in the schema.
//! kind name [Columns it reads] -> Type of the plain resolver { body }
//! ```
//!
//! | kind | body | plain type |
//! | --- | --- | --- |
//! | `value` | <code>\|row\| value</code> or <code>\|row, scene\| value</code> | the value |
//! | `one` | <code>\|row\| key => wrap</code>, `?` in the key for "refers to nothing" | `Option<Result<Type>>` |
//! | `must` | as `one`, never missing | `Result<Type>` |
//! | `many` | <code>\|row\| key => wrap</code> | `Result<Vec<Type>>` |
//! | `found` | <code>\|row\| key => \|found\| value</code> | `Result<value>` |
//! | `maybe` | <code>\|row, scene\| key => \|found\| optional value</code> | `Option<Result<value>>` |
//! | `parts` | <code>\|row\| key => \|found\| list of parts</code> | `Result<Vec<Type>>` |
//! | `part` | <code>\|row\| key => \|found\| optional part</code> | `Option<Result<Type>>` |
//! | `inside` | <code>\|row\| optional part</code> | `Option<Type>` |
//! | `within` | <code>\|row\| key => part</code>, the part that belongs to the key and whose columns are the row's | `Type` |
//! | `plain` | <code>\|row, ctx\| answer</code> | whatever; has no fast form; may take arguments: `plain name(range: Range = "what it means") [..]` |

/// Declares a type of the schema once: its resolvers and its fast form.
macro_rules! object {
    (
        $type:ident $name:tt, $column:ty;
        $(
            $(#[$meta:meta])*
            $kind:ident $field:ident $(($arg:ident: $arg_type:ty = $arg_desc:literal))? [$($col:ident)*] -> $out:ty { $($body:tt)* }
        )+
    ) => {
        #[async_graphql::Object(name = $name, use_type_description)]
        #[allow(unused_variables, reason = "most resolvers look at the row only")]
        impl $crate::graphql::shape::Plain<$type> {
            $(
                $(#[$meta])*
                async fn $field(
                    &self,
                    ctx: &async_graphql::Context<'_>,
                    $(#[graphql(desc = $arg_desc)] $arg: $arg_type,)?
                ) -> $out {
                    $crate::graphql::shape::shape_plain!($kind, ctx, &self.0, $($body)*)
                }
            )+
        }

        impl $crate::graphql::shape::Shape for $type {
            const NAME: &'static str = $name;

            fn field(name: &str) -> Option<$crate::graphql::shape::Field<Self>> {
                $(
                    if name == stringify!($field).trim_start_matches("r#") {
                        return $crate::graphql::shape::shape_field!(
                            $kind, $type, $out, (0 $(| (1 << (<$column>::$col as u32)))*), $($body)*
                        );
                    }
                )+
                None
            }
        }

        impl async_graphql::OutputType for $type {
            fn type_name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed($name)
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                <$crate::graphql::shape::Plain<$type> as async_graphql::OutputType>::create_type_info(registry)
            }

            async fn resolve(
                &self,
                ctx: &async_graphql::ContextSelectionSet<'_>,
                field: &async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> async_graphql::ServerResult<async_graphql::Value> {
                match $crate::graphql::shape::resolve_one(self, ctx).await {
                    Some(value) => Ok(value),
                    None => {
                        let plain = $crate::graphql::shape::Plain(self.clone());
                        async_graphql::OutputType::resolve(&plain, ctx, field).await
                    }
                }
            }
        }

        impl async_graphql::ContainerType for $type {
            async fn resolve_field(
                &self,
                ctx: &async_graphql::Context<'_>,
            ) -> async_graphql::ServerResult<Option<async_graphql::Value>> {
                let plain = $crate::graphql::shape::Plain(self.clone());
                async_graphql::ContainerType::resolve_field(&plain, ctx).await
            }
        }

        impl async_graphql::ObjectType for $type {}
    };
}
pub(crate) use object;

/// The body of a plain resolver.
macro_rules! shape_plain {
    (value, $ctx:ident, $row:expr, |$t:ident| $value:expr) => {{
        let $t = $row;
        $value
    }};
    (value, $ctx:ident, $row:expr, |$t:ident, $s:ident| $value:expr) => {{
        let $t = $row;
        let $s = &$crate::graphql::shape::Scene::of($ctx);
        $value
    }};
    (one, $ctx:ident, $row:expr, |$t:ident| $key:expr => $wrap:expr) => {{
        let $t = $row;
        let key = $crate::graphql::shape::key_of(|| Some($key));
        $crate::graphql::shape::link_one($ctx, key, $wrap).await
    }};
    (must, $ctx:ident, $row:expr, |$t:ident| $key:expr => $wrap:expr) => {{
        let $t = $row;
        let key = $crate::graphql::shape::key_of(|| Some($key));
        $crate::graphql::shape::link_must($ctx, key, $wrap).await
    }};
    (many, $ctx:ident, $row:expr, |$t:ident| $key:expr => $wrap:expr) => {{
        let $t = $row;
        let key = $crate::graphql::shape::key_of(|| Some($key));
        $crate::graphql::shape::link_many($ctx, key, $wrap).await
    }};
    (found, $ctx:ident, $row:expr, |$t:ident| $key:expr => |$f:ident| $value:expr) => {{
        let $t = $row;
        let key = $crate::graphql::shape::key_of(|| Some($key));
        let found = $crate::graphql::shape::link_found($ctx, key).await?;
        let $f = found.as_ref();
        Ok($value)
    }};
    (maybe, $ctx:ident, $row:expr, |$t:ident, $s:ident| $key:expr => |$f:ident| $value:expr) => {{
        let $t = $row;
        let $s = &$crate::graphql::shape::Scene::of($ctx);
        let key = $crate::graphql::shape::key_of(|| Some($key));
        match $crate::graphql::shape::link_found($ctx, key).await {
            Ok(found) => {
                let $f = found.as_ref();
                $value.map(Ok)
            }
            Err(error) => Some(Err(error)),
        }
    }};
    (parts, $ctx:ident, $row:expr, |$t:ident| $key:expr => |$f:ident| $parts:expr) => {
        $crate::graphql::shape::shape_plain!(found, $ctx, $row, |$t| $key => |$f| $parts)
    };
    (part, $ctx:ident, $row:expr, |$t:ident| $key:expr => |$f:ident| $part:expr) => {
        $crate::graphql::shape::shape_plain!(maybe, $ctx, $row, |$t, scene| $key => |$f| $part)
    };
    (inside, $ctx:ident, $row:expr, |$t:ident| $part:expr) => {{
        let $t = $row;
        $part
    }};
    (within, $ctx:ident, $row:expr, |$t:ident| $key:expr => $part:expr) => {{
        let $t = $row;
        $part
    }};
    (plain, $ctx:ident, $row:expr, |$t:ident, $c:ident| $answer:expr) => {{
        let $t = $row;
        let $c = $ctx;
        $answer
    }};
}
pub(crate) use shape_plain;

/// The fast form of a field.
macro_rules! shape_field {
    (value, $type:ty, $out:ty, $columns:expr, |$t:ident| $value:expr) => {
        Some($crate::graphql::shape::Field::Value {
            columns: $columns,
            write: |row, _, out| {
                let $t: &$type = row;
                let value: $out = $value;
                $crate::graphql::shape::WriteJson::write_json(&value, out);
            },
        })
    };
    (value, $type:ty, $out:ty, $columns:expr, |$t:ident, $s:ident| $value:expr) => {
        Some($crate::graphql::shape::Field::Value {
            columns: $columns,
            write: |row, scene, out| {
                let $t: &$type = row;
                let $s: &$crate::graphql::shape::Scene<'_> = scene;
                let value: $out = $value;
                $crate::graphql::shape::WriteJson::write_json(&value, out);
            },
        })
    };
    (@one $missing:ident, $type:ty, $columns:expr, |$t:ident| $key:expr => $wrap:expr) => {
        Some($crate::graphql::shape::Field::Link {
            columns: $columns,
            compile: |sets, env| {
                let key = |row: &$type, _: &$crate::graphql::shape::Scene<'_>| {
                    let $t = row;
                    Some($key)
                };
                $crate::graphql::shape::one(sets, env, key, $wrap, $crate::graphql::shape::Missing::$missing)
            },
        })
    };
    (one, $type:ty, $out:ty, $columns:expr, $($body:tt)*) => {
        $crate::graphql::shape::shape_field!(@one Null, $type, $columns, $($body)*)
    };
    (must, $type:ty, $out:ty, $columns:expr, $($body:tt)*) => {
        $crate::graphql::shape::shape_field!(@one Never, $type, $columns, $($body)*)
    };
    (many, $type:ty, $out:ty, $columns:expr, |$t:ident| $key:expr => $wrap:expr) => {
        Some($crate::graphql::shape::Field::Link {
            columns: $columns,
            compile: |sets, env| {
                let key = |row: &$type, _: &$crate::graphql::shape::Scene<'_>| {
                    let $t = row;
                    Some($key)
                };
                let split = |found: Vec<_>| found.into_iter().map($wrap).collect();
                $crate::graphql::shape::list(sets, env, key, split, $crate::graphql::shape::Form::List)
            },
        })
    };
    (found, $type:ty, $out:ty, $columns:expr, |$t:ident| $key:expr => |$f:ident| $value:expr) => {
        Some($crate::graphql::shape::Field::Link {
            columns: $columns,
            compile: |sets, _| {
                let key = |row: &$type, _: &$crate::graphql::shape::Scene<'_>| {
                    let $t = row;
                    Some($key)
                };
                $crate::graphql::shape::found(sets, key, |row, _, found| {
                    #[allow(unused_variables, reason = "most values do not look at the row again")]
                    let $t: &$type = row;
                    let $f = found;
                    $value
                })
            },
        })
    };
    (maybe, $type:ty, $out:ty, $columns:expr, |$t:ident, $s:ident| $key:expr => |$f:ident| $value:expr) => {
        Some($crate::graphql::shape::Field::Link {
            columns: $columns,
            compile: |sets, _| {
                let key = |row: &$type, scene: &$crate::graphql::shape::Scene<'_>| {
                    let $t = row;
                    #[allow(unused_variables, reason = "not every key depends on the viewer")]
                    let $s = scene;
                    Some($key)
                };
                $crate::graphql::shape::found(sets, key, |row, scene, found| {
                    #[allow(unused_variables, reason = "most values do not look at the row again")]
                    let ($t, $s): (&$type, &$crate::graphql::shape::Scene<'_>) = (row, scene);
                    let $f = found;
                    $value
                })
            },
        })
    };
    (parts, $type:ty, $out:ty, $columns:expr, |$t:ident| $key:expr => |$f:ident| $parts:expr) => {
        Some($crate::graphql::shape::Field::Link {
            columns: $columns,
            compile: |sets, env| {
                let key = |row: &$type, _: &$crate::graphql::shape::Scene<'_>| {
                    let $t = row;
                    Some($key)
                };
                let form = $crate::graphql::shape::Form::List;
                $crate::graphql::shape::list(sets, env, key, |found| {
                    let $f = Some(&found);
                    $parts
                }, form)
            },
        })
    };
    (part, $type:ty, $out:ty, $columns:expr, |$t:ident| $key:expr => |$f:ident| $part:expr) => {
        Some($crate::graphql::shape::Field::Link {
            columns: $columns,
            compile: |sets, env| {
                let key = |row: &$type, _: &$crate::graphql::shape::Scene<'_>| {
                    let $t = row;
                    Some($key)
                };
                let form = $crate::graphql::shape::Form::First;
                $crate::graphql::shape::list(sets, env, key, |found| {
                    let $f = Some(&found);
                    $part.into_iter().collect()
                }, form)
            },
        })
    };
    (inside, $type:ty, $out:ty, $columns:expr, |$t:ident| $part:expr) => {
        Some($crate::graphql::shape::Field::Link {
            columns: $columns,
            compile: |sets, env| {
                $crate::graphql::shape::inside(sets, env, |row: &$type, _| {
                    let $t = row;
                    $part
                })
            },
        })
    };
    (within, $type:ty, $out:ty, $columns:expr, |$t:ident| $key:expr => $part:expr) => {
        Some($crate::graphql::shape::Field::Link {
            columns: $columns,
            compile: |sets, env| {
                let key = |row: &$type, _: &$crate::graphql::shape::Scene<'_>| {
                    let $t = row;
                    Some($key)
                };
                $crate::graphql::shape::within(sets, env, key, |row: &$type| {
                    let $t = row;
                    $part
                })
            },
        })
    };
    (plain, $($rest:tt)*) => {
        None
    };
}
pub(crate) use shape_field;
