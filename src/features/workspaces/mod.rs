//! Workspaces and who belongs to them.
//!
//! Invariants: everyone has one personal workspace, where nobody else is; a workspace always has an owner; its counter row and a default
//! calendar are made with it.

mod model;
mod read;
mod rules;
mod write;

pub use model::{NewWorkspace, WorkspacePatch};
pub use read::{all, find_by_slug, get, get_many, look_at, members, members_by_id};
pub use rules::check_power;
pub use write::{
    add_member, create, create_personal, delete, join_in, remove_member, sign_up, update, update_role,
};
