//! Global ids. A text that is no id of the wanted kind is treated like an id that nobody has.

use async_graphql::ID;
use entity::ids::TypedId;

use crate::kernel::{Error, Result, UserErrorCode};

/// The global form of a typed id.
pub fn global<T: TypedId + std::fmt::Display>(id: T) -> ID {
    ID(id.to_string())
}

/// The global id of an object whose kind is only known by the name of its GraphQL type.
pub fn global_of(kind: &str, uuid: uuid::Uuid) -> Result<ID> {
    let id = entity::ids::compose(kind, uuid);
    id.map(ID)
        .ok_or_else(|| Error::internal(format!("there are no ids of {kind}")))
}

/// A typed id for a look-up; `None` when the text is no id of this kind.
pub fn parse<T: TypedId + std::str::FromStr>(id: &ID) -> Option<T> {
    id.parse().ok()
}

/// The object that a mutation acts on: NOT_FOUND when the text is no id of this kind.
pub fn target<T: TypedId + std::str::FromStr>(id: &ID) -> Result<T> {
    parse(id).ok_or_else(Error::not_found)
}

/// A referenced object: REFERENCE_NOT_FOUND at `path` when the text is no id of this kind.
pub fn reference<T: TypedId + std::str::FromStr>(id: &ID, path: &str) -> Result<T> {
    parse(id).ok_or_else(|| missing::<T>(path))
}

/// Several referenced objects; the path gets the position of the first that is wrong.
pub fn references<T: TypedId + std::str::FromStr>(ids: &[ID], path: &str) -> Result<Vec<T>> {
    ids.iter()
        .enumerate()
        .map(|(index, id)| reference(id, &format!("{path}.{index}")))
        .collect()
}

fn missing<T: TypedId>(path: &str) -> Error {
    let message = format!("There is no such {} in this workspace.", words(T::TYPE));
    Error::user(UserErrorCode::ReferenceNotFound, path, message)
}

/// A reference to an object of the kind `T`: foreign and unknown ones are the same failure at `path`.
pub fn object_reference<T: TypedId, U>(result: Result<U>, path: &str) -> Result<U> {
    result.map_err(|error| {
        if error.is_not_found() {
            missing::<T>(path)
        } else {
            error
        }
    })
}

/// A reference to a workspace: foreign and unknown ones are the same failure at `path`.
pub fn workspace_reference<T>(result: Result<T>, path: &str) -> Result<T> {
    result.map_err(|error| {
        if error.is_not_found() {
            return Error::user(
                UserErrorCode::ReferenceNotFound,
                path,
                "There is no such workspace, or you are not a member.",
            );
        }
        error
    })
}

/// `CalendarEvent` as `calendar event`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for (index, c) in name.char_indices() {
        if c.is_uppercase() && index > 0 {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}
