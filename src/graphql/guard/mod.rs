//! The gate before execution: limits on the text, the tokens and the parsed document of an operation, before validation or any
//! resolver sees it. Promises: bounded work on hostile documents and a coded error that names the limit. Must not know the schema.

mod again;
mod cost;
#[cfg(test)]
mod tests;
mod tokens;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use async_graphql::parser::{Error as ParseError, parse_query};
use async_graphql::{Pos, Value, Variables};

use crate::config::Limits;
use crate::kernel::ErrorCode;

pub use again::Measured;

/// Brackets inside each other, of selections, arguments and values together: enough for every sane document, and shallow enough
/// for the parser's recursion.
const MAX_NESTING: usize = 64;

/// An operation that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The kind of the operation that will run.
    pub kind: OperationType,
    /// Points that the operation costs.
    pub cost: u32,
    /// Whether the operation reads the schema; refused where introspection is switched off.
    pub introspects: bool,
}

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardError {
    /// Code for `extensions.code`.
    pub code: ErrorCode,
    /// Sentence that names the limit or the mistake.
    pub message: String,
    /// Where in the document.
    pub locations: Vec<Pos>,
}

impl GuardError {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            locations: Vec::new(),
        }
    }

    fn limit(
        code: ErrorCode,
        what: &str,
        found: impl std::fmt::Display,
        most: impl std::fmt::Display,
    ) -> Self {
        Self::new(code, format!("The {what} {found}; at most {most} are allowed."))
    }
}

/// Reads a document within the limits on its text.
pub(super) fn read(query: &str, limits: &Limits) -> Result<ExecutableDocument, GuardError> {
    check_text(query, limits)?;
    let document = parse_query(query).map_err(parse_error)?;
    check_document(&document, limits)?;
    Ok(document)
}

/// Tasks that wait for tasks that wait for tasks: more such links are not followed in one operation.
const MAX_LINKS: usize = 2;

/// Picks the operation of a document and checks it. Defaults of its variables are filled in where the client sent none.
pub fn check(
    query: &str,
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &mut Variables,
    limits: &Limits,
) -> Result<Checked, GuardError> {
    let operation = pick(document, operation_name)?;
    prepare_variables(operation, variables)?;
    measure(query, document, operation, variables, limits)
}

/// Checks an operation whose variables are complete.
fn measure(
    query: &str,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    limits: &Limits,
) -> Result<Checked, GuardError> {
    let kind = operation.ty;
    if kind != OperationType::Mutation {
        check_nul(query, variables)?;
    }
    let measure = check_operation(document, operation, variables, limits)?;
    let cost = u32::try_from(measure.points()).unwrap_or(u32::MAX);
    Ok(Checked {
        kind,
        cost,
        introspects: measure.introspects,
    })
}

/// PostgreSQL has no NUL in texts, so nothing that is looked for can hold one. Mutations refuse it with the path of its field.
fn check_nul(query: &str, variables: &Variables) -> Result<(), GuardError> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::List(items) => items.iter().any(has_nul),
            Value::Object(fields) => fields.values().any(has_nul),
            _ => false,
        }
    }
    let written = query.contains("\\u0000") || query.contains('\0');
    if written || variables.values().any(has_nul) {
        return Err(GuardError::new(
            ErrorCode::BadUserInput,
            "Texts must not contain NUL characters.",
        ));
    }
    Ok(())
}

fn check_text(query: &str, limits: &Limits) -> Result<(), GuardError> {
    use ErrorCode::{QueryTooComplex, QueryTooDeep};
    if query.len() > limits.query_bytes {
        return Err(GuardError::limit(
            QueryTooComplex,
            "length of the query in bytes is",
            query.len(),
            limits.query_bytes,
        ));
    }
    let tally = tokens::tally(query);
    if tally.tokens > limits.tokens {
        return Err(GuardError::limit(
            QueryTooComplex,
            "number of tokens is",
            tally.tokens,
            limits.tokens,
        ));
    }
    if tally.nesting > MAX_NESTING {
        return Err(GuardError::limit(
            QueryTooDeep,
            "nesting of brackets is",
            tally.nesting,
            MAX_NESTING,
        ));
    }
    if tally.directives > limits.directives {
        return Err(GuardError::limit(
            QueryTooComplex,
            "number of directives is",
            tally.directives,
            limits.directives,
        ));
    }
    Ok(())
}

fn check_document(document: &ExecutableDocument, limits: &Limits) -> Result<(), GuardError> {
    use ErrorCode::QueryTooComplex;
    let fragments = document.fragments.len();
    if fragments > limits.fragments {
        return Err(GuardError::limit(
            QueryTooComplex,
            "number of fragments is",
            fragments,
            limits.fragments,
        ));
    }
    let aliases = cost::aliases(document);
    if aliases > limits.aliases {
        return Err(GuardError::limit(
            QueryTooComplex,
            "number of aliases is",
            aliases,
            limits.aliases,
        ));
    }
    Ok(())
}

fn check_operation(
    document: &ExecutableDocument,
    chosen: &OperationDefinition,
    variables: &Variables,
    limits: &Limits,
) -> Result<cost::Measure, GuardError> {
    use ErrorCode::{GraphqlValidationFailed, QueryTooComplex, QueryTooDeep};
    let mut meter = cost::Meter::new(document, variables);
    // Validation walks everything, so everything is measured: the operations that will not run and the fragments nobody uses.
    let mut known = None;
    for (_, operation) in document.operations.iter() {
        let measure = meter.measure(&operation.node.selection_set.node)?;
        check_expansion(&measure, limits)?;
        if std::ptr::eq(&operation.node, chosen) {
            known = Some(measure);
        }
    }
    for fragment in document.fragments.values() {
        check_expansion(&meter.measure(&fragment.node.selection_set.node)?, limits)?;
    }
    let measure = match known {
        Some(measure) => measure,
        None => meter.measure(&chosen.selection_set.node)?,
    };
    if measure.depth > limits.depth {
        return Err(GuardError::limit(
            QueryTooDeep,
            "number of levels is",
            measure.depth,
            limits.depth,
        ));
    }
    if measure.width > limits.root_fields as u64 {
        return Err(GuardError::limit(
            QueryTooComplex,
            "number of fields on the first level is",
            measure.width,
            limits.root_fields,
        ));
    }
    if measure.long_lists() > 1 || measure.links > MAX_LINKS {
        return Err(GuardError::new(
            QueryTooComplex,
            "A list leads back to what it belongs to, and from there to a list again. Ask for one after the other.",
        ));
    }
    if measure.schema_explodes {
        return Err(GuardError::new(
            QueryTooDeep,
            "Introspection lists lie inside each other too often.",
        ));
    }
    if chosen.ty == OperationType::Subscription && measure.width != 1 {
        return Err(GuardError::new(
            GraphqlValidationFailed,
            "A subscription selects exactly one field on its first level.",
        ));
    }
    let points = measure.points();
    if points > u64::from(limits.complexity) {
        return Err(GuardError::limit(
            QueryTooComplex,
            "cost of the operation in points is",
            points,
            limits.complexity,
        ));
    }
    Ok(measure)
}

fn check_expansion(measure: &cost::Measure, limits: &Limits) -> Result<(), GuardError> {
    if measure.fields > u64::from(limits.expanded_fields) {
        let what = "number of fields with fragments written out is";
        return Err(GuardError::limit(
            ErrorCode::QueryTooComplex,
            what,
            measure.fields,
            limits.expanded_fields,
        ));
    }
    Ok(())
}

fn pick<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, GuardError> {
    let refuse = |message: String| GuardError::new(ErrorCode::GraphqlValidationFailed, message);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations
            .values()
            .next()
            .map(|operation| &operation.node)
            .ok_or_else(|| refuse("The document has no operation.".into())),
        (DocumentOperations::Multiple(operations), Some(name)) if operations.contains_key(name) => {
            Ok(&operations[name].node)
        }
        (_, Some(name)) => Err(refuse(format!("The document has no operation named `{name}`."))),
        (_, None) => Err(refuse(
            "The document has several operations; send `operationName` to pick one.".into(),
        )),
    }
}

/// The executor only looks at what the client sent when it decides `@skip` and `@include`, so defaults are made explicit; and it
/// would miss a required variable only when a resolver asks for it.
fn prepare_variables(operation: &OperationDefinition, variables: &mut Variables) -> Result<(), GuardError> {
    for definition in &operation.variable_definitions {
        let name = &definition.node.name.node;
        let wanted = &definition.node.var_type.node;
        if !variables.contains_key(name)
            && let Some(default) = &definition.node.default_value
        {
            variables.insert(name.clone(), default.node.clone());
        }
        if !wanted.nullable && matches!(variables.get(name), None | Some(async_graphql::Value::Null)) {
            let message =
                format!("The variable `${name}` of the required type `{wanted}` was not sent or is null.");
            return Err(GuardError {
                locations: vec![definition.pos],
                ..GuardError::new(ErrorCode::BadUserInput, message)
            });
        }
    }
    Ok(())
}

fn parse_error(error: ParseError) -> GuardError {
    let code = match error {
        // Grammatical documents that are wrong in themselves.
        ParseError::OperationDuplicated { .. }
        | ParseError::FragmentDuplicated { .. }
        | ParseError::MultipleOperations { .. } => ErrorCode::GraphqlValidationFailed,
        _ => ErrorCode::GraphqlParseFailed,
    };
    let text = error.to_string();
    // The parser draws a picture of the place over several lines; its last line says what was expected.
    let reason = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("= "))
        .unwrap_or(&text);
    GuardError {
        code,
        message: format!("Syntax error: {}.", reason.trim_end_matches('.')),
        locations: error.positions().collect(),
    }
}
