//! The built files of GraphiQL. Written by `.graphiql/build.mjs`; change the build, not this list.
//!
//! Promises: sorted by name, every file compressed with brotli. Must not know who serves them.

/// One built file.
pub(super) struct File {
    /// Name below `/graphiql/assets/`.
    pub(super) name: &'static str,
    /// Value of `Content-Type`.
    pub(super) content_type: &'static str,
    /// Strong entity tag of the uncompressed content, quotes included.
    pub(super) etag: &'static str,
    /// Content, compressed with brotli.
    pub(super) bytes: &'static [u8],
}

/// All files, sorted by name.
pub(super) const FILES: &[File] = &[
    File {
        name: "THIRD-PARTY-LICENSES.txt",
        content_type: "text/plain; charset=utf-8",
        etag: "\"960ce1cf9f8ef64a4ba4\"",
        bytes: include_bytes!("assets/THIRD-PARTY-LICENSES.txt.br"),
    },
    File {
        name: "codicon-37A3DWZT.ttf",
        content_type: "font/ttf",
        etag: "\"0f1d5219934e96e83b8d\"",
        bytes: include_bytes!("assets/codicon-37A3DWZT.ttf.br"),
    },
    File {
        name: "editor.worker-NLQNREAQ.js",
        content_type: "text/javascript; charset=utf-8",
        etag: "\"8bb12a240994eae1707d\"",
        bytes: include_bytes!("assets/editor.worker-NLQNREAQ.js.br"),
    },
    File {
        name: "graphql.worker-EJGPCJ2V.js",
        content_type: "text/javascript; charset=utf-8",
        etag: "\"4b8100460819db4f4a5a\"",
        bytes: include_bytes!("assets/graphql.worker-EJGPCJ2V.js.br"),
    },
    File {
        name: "json.worker-MQYCZ4TW.js",
        content_type: "text/javascript; charset=utf-8",
        etag: "\"548acde1187fbc59a9d2\"",
        bytes: include_bytes!("assets/json.worker-MQYCZ4TW.js.br"),
    },
    File {
        name: "main-25Z5RJ4S.css",
        content_type: "text/css; charset=utf-8",
        etag: "\"ee02c97bb0790e3e2736\"",
        bytes: include_bytes!("assets/main-25Z5RJ4S.css.br"),
    },
    File {
        name: "main-SNVADXOD.js",
        content_type: "text/javascript; charset=utf-8",
        etag: "\"fa06ca4541aa3c268193\"",
        bytes: include_bytes!("assets/main-SNVADXOD.js.br"),
    },
];
