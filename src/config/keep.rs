//! How long the server keeps what only the past needs. The documentation of each field is the help of its setting.

use super::setting::number_section;

number_section! {
    /// Retention that the operator decides about.
    #[derive(Copy)]
    pub struct Keep, SETTINGS, read {
        /// Days that entries of audit logs are kept; 0 keeps them for ever. The beginning of a log is cut off at most once a day, the cut is an
        /// entry of its own, and the chain of what is left can still be verified.
        audit_days: u32 = "MERIDIAN_KEEP_AUDIT_DAYS", "0", 0..=36_500;
    }
}
