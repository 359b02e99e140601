//! What one client may ask for per minute. The documentation of each field is the help of its setting.

use super::setting::number_section;

number_section! {
    /// Budgets per minute. A request counts as one and also costs the points of its operation.
    pub struct Rates, SETTINGS, read {
        /// Requests per minute of an address that is not signed in.
        guest_requests: u32 = "MERIDIAN_RATE_GUEST_REQUESTS", "100", 1..=100_000_000;
        /// Points per minute of an address that is not signed in.
        guest_points: u32 = "MERIDIAN_RATE_GUEST_POINTS", "10000", 1..=1_000_000_000;
        /// Requests per minute of a signed-in caller.
        caller_requests: u32 = "MERIDIAN_RATE_CALLER_REQUESTS", "1000", 1..=100_000_000;
        /// Points per minute of a signed-in caller.
        caller_points: u32 = "MERIDIAN_RATE_CALLER_POINTS", "100000", 1..=1_000_000_000;
        /// Requests per minute that enter a workspace, of all its members together.
        workspace_requests: u32 = "MERIDIAN_RATE_WORKSPACE_REQUESTS", "10000", 1..=100_000_000;
        /// Points per minute of a workspace, all its members together.
        workspace_points: u32 = "MERIDIAN_RATE_WORKSPACE_POINTS", "1000000", 1..=1_000_000_000;
        /// Sign-ins per minute of an address.
        sign_ins: u32 = "MERIDIAN_RATE_SIGN_INS", "5", 1..=1_000_000;
        /// Letters per minute to one e-mail address: links to sign in, confirmations and invitations.
        letters: u32 = "MERIDIAN_RATE_LETTERS", "5", 1..=1_000_000;
        /// Messages per minute on one WebSocket.
        socket_messages: u32 = "MERIDIAN_RATE_SOCKET_MESSAGES", "1000", 1..=100_000_000;
    }
}
