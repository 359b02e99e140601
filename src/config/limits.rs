//! What one client may ask for: sizes and times. The documentation of each field is the help of its setting.

use std::time::Duration;

use super::setting::number_section;

number_section! {
    /// Sizes and times of single requests, documents and connections.
    pub struct Limits, SETTINGS, read {
        /// Largest request body in bytes.
        body_bytes: usize = "MERIDIAN_LIMIT_BODY_BYTES", "262144", 1_024..=16_777_216;
        /// Longest query text in bytes.
        query_bytes: usize = "MERIDIAN_LIMIT_QUERY_BYTES", "32768", 256..=1_048_576;
        /// Most tokens in a document.
        tokens: usize = "MERIDIAN_LIMIT_TOKENS", "2000", 10..=100_000;
        /// Deepest nesting of fields.
        depth: usize = "MERIDIAN_LIMIT_DEPTH", "15", 1..=100;
        /// Most points that one operation may cost: its fields, times the sizes of the pages they are on.
        complexity: u32 = "MERIDIAN_LIMIT_COMPLEXITY", "5000", 10..=10_000_000;
        /// Most aliases in a document.
        aliases: usize = "MERIDIAN_LIMIT_ALIASES", "30", 0..=10_000;
        /// Most fields on the first level of an operation.
        root_fields: usize = "MERIDIAN_LIMIT_ROOT_FIELDS", "20", 1..=1_000;
        /// Most directives in a document.
        directives: usize = "MERIDIAN_LIMIT_DIRECTIVES", "30", 0..=10_000;
        /// Most fragments in a document.
        fragments: usize = "MERIDIAN_LIMIT_FRAGMENTS", "30", 0..=10_000;
        /// Most fields that an operation may have once its fragments are written out.
        expanded_fields: u32 = "MERIDIAN_LIMIT_EXPANDED_FIELDS", "2000", 10..=100_000;
        /// Seconds in which a client must send the head of a request.
        header_timeout: Duration = "MERIDIAN_LIMIT_HEADER_SECONDS", "10", 1..=300;
        /// Seconds in which a client must send the body of a request.
        body_timeout: Duration = "MERIDIAN_LIMIT_BODY_SECONDS", "15", 1..=300;
        /// Seconds after which a query or mutation is given up.
        operation_timeout: Duration = "MERIDIAN_LIMIT_OPERATION_SECONDS", "30", 1..=600;
        /// Largest file that can be imported, in bytes.
        import_bytes: usize = "MERIDIAN_LIMIT_IMPORT_BYTES", "67108864", 1_024..=1_073_741_824;
        /// Hours for which an exported file can be fetched.
        export_hours: u32 = "MERIDIAN_EXPORT_HOURS", "24", 1..=720;
        /// Most subscriptions on one WebSocket.
        socket_subscriptions: usize = "MERIDIAN_LIMIT_SOCKET_SUBSCRIPTIONS", "50", 1..=10_000;
        /// Largest message from a WebSocket client in bytes.
        socket_message_bytes: usize = "MERIDIAN_LIMIT_SOCKET_MESSAGE_BYTES", "65536", 1_024..=16_777_216;
        /// Seconds in which a WebSocket client must send `connection_init`.
        socket_init_timeout: Duration = "MERIDIAN_LIMIT_SOCKET_INIT_SECONDS", "10", 1..=300;
        /// Seconds between pings to a WebSocket client; one that misses two is dropped.
        socket_ping_interval: Duration = "MERIDIAN_LIMIT_SOCKET_PING_SECONDS", "20", 1..=600;
    }
}
