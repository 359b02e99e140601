//! What a benchmark that runs the whole server needs first.

/// A runtime as the program has it, and the cryptography that goes with it.
pub(crate) fn start() -> tokio::runtime::Runtime {
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("the first of this process");
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
}
