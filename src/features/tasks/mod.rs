//! Tasks: things to do with everything a planner needs to place them, their sub-tasks and their dependencies.
//!
//! Invariants: a task belongs to one workspace with its parent and all it depends on; neither parents nor dependencies form a circle; a
//! task is `DONE` exactly when it has a completion time; of a repeated task one is open at a time and that one has the rule; `version` grows
//! with each change of its own fields.

mod jobs;
mod model;
mod read;
mod repeats;
mod rules;
mod words;
mod write;

pub use jobs::tell_due;
pub use model::{BulkPatch, Completed, NewTask, TaskFilter, TaskOrder, TaskOrderField, TaskPatch};
pub use read::{
    blocked, dependencies_of, dependents_of, find, get, get_many, get_many_in_part, page, subtasks_of,
};
pub use rules::{is_overdue, labels_of, working_hours_of};
pub use write::{
    ImportedTask, TaskImport, add_dependency, add_work_in, bulk_update, complete, create, delete, import_in,
    link_in, remove_dependency, reopen, update,
};
