//! What sources does with good and bad input.

use super::*;

#[test]
fn a_file_of_settings_is_read() {
    let text = "# comment\n\nexport A=1\nB = \"two words\"\nC='x=y'\nD=\n";
    let values = parse_env_file(text).unwrap();
    let pairs: Vec<_> = values
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(pairs, [("A", "1"), ("B", "two words"), ("C", "x=y"), ("D", "")]);
}

#[test]
fn a_broken_line_is_named() {
    let problems = parse_env_file("A=1\nnonsense\n=2\n").unwrap_err();
    let lines: Vec<_> = problems.iter().map(|problem| problem.setting.as_str()).collect();
    assert_eq!(lines, [".env line 2", ".env line 3"]);
}

#[cfg(unix)]
#[test]
fn the_key_of_a_development_machine_is_made_once_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = development_key(&data).unwrap();
    let second = development_key(&data).unwrap();
    assert!(first == second);
    let mode = fs::metadata(data.join(KEY_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft is left behind");
}

#[test]
fn a_broken_key_file_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(KEY_FILE), "nonsense").unwrap();
    assert!(development_key(folder.path()).is_err());
}
