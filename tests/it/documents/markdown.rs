//! The few parts of Markdown that the guides are checked for.

/// The contents of the fenced blocks of one language.
pub fn code_blocks<'a>(text: &'a str, language: &'a str) -> impl Iterator<Item = &'a str> {
    blocks(text)
        .filter(move |(word, _)| *word == language)
        .map(|(_, body)| body)
}

/// Language and content of every fenced block.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("\n```").skip(1).step_by(2).filter_map(|block| {
        let (language, body) = block.split_once('\n')?;
        Some((language.trim(), body))
    })
}

/// Everything that is set as code: the lines of fenced blocks, and the spans between single backticks outside of them.
pub fn code_texts(text: &str) -> impl Iterator<Item = &str> {
    let lines = blocks(text).flat_map(|(_, body)| body.lines());
    let prose = text.split("\n```").step_by(2);
    lines.chain(prose.flat_map(|part| part.split('`').skip(1).step_by(2)))
}

/// The names of settings in a text, wherever they stand.
pub fn settings(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        .filter(|word| {
            word.strip_prefix("MERIDIAN_")
                .is_some_and(|rest| !rest.is_empty())
                || word.ends_with("_URL") && word.len() > 4
        })
}

/// The arguments of each call of the program in a line: after `meridian` or after `cargo run … --`.
pub fn commands(line: &str) -> impl Iterator<Item = Vec<&str>> {
    line.split(['|', ';', '&', '>', '<']).filter_map(|part| {
        let mut words = part
            .split_whitespace()
            .filter(|word| !word.contains("=") || word.starts_with("--"));
        let mut arguments = match words.next()? {
            "meridian" | "target/release/meridian" => words.collect::<Vec<_>>(),
            "cargo" if words.next() == Some("run") => {
                let rest: Vec<&str> = words.collect();
                let separator = rest.iter().position(|word| *word == "--")?;
                rest[separator + 1..].to_vec()
            }
            _ => return None,
        };
        // A comment of the shell is no argument.
        if let Some(comment) = arguments.iter().position(|word| word.starts_with('#')) {
            arguments.truncate(comment);
        }
        Some(arguments)
    })
}

/// The targets of all links.
pub fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The anchors of all headings, as GitHub makes them.
pub fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        line.trim_start_matches('#')
            .trim()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
            .collect()
    })
}

#[test]
fn commands_are_found_in_lines_of_a_shell() {
    let found = |line: &str| commands(line).map(|words| words.join(" ")).collect::<Vec<_>>();
    assert_eq!(
        found("cargo run --release -- serve --demo  # comment"),
        ["serve --demo"]
    );
    assert_eq!(found("A=1 B=2 meridian seed --json > seed.json"), ["seed --json"]);
    assert_eq!(found("export TOKEN=$(x) && meridian migrate up"), ["migrate up"]);
    assert_eq!(found("meridian"), [""]);
    assert_eq!(found("cargo build; the meridian role"), Vec::<String>::new());
}

#[test]
fn code_is_found_in_blocks_and_spans() {
    let text = "A `meridian api` word.\n\n```sh\nmeridian worker\n```\n\nMore `x`.\n";
    assert_eq!(
        code_texts(text).collect::<Vec<_>>(),
        ["meridian worker", "meridian api", "x"]
    );
    assert_eq!(code_blocks(text, "sh").collect::<Vec<_>>(), ["meridian worker"]);
    assert_eq!(
        anchors("# One `two`, three\n").collect::<Vec<_>>(),
        ["one-two-three"]
    );
    assert_eq!(
        settings("`REDIS_URL` and MERIDIAN_LISTEN=1").collect::<Vec<_>>(),
        ["REDIS_URL", "MERIDIAN_LISTEN"]
    );
    assert_eq!(
        links("[a](b.md#c) and [d](e)").collect::<Vec<_>>(),
        ["b.md#c", "e"]
    );
}
