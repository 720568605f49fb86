#![expect(clippy::unwrap_used, reason = "a failed assumption in a test should panic")]

use insta::assert_snapshot;

use super::{Diagnostic, Position, Sources, render, render_short, to_json};

fn sources() -> Sources {
    let mut sources = Sources::new();
    sources.add("app/main.lua", "local one = 1\nlocal user = get_user()\nprint(user.nmae)\n");
    sources.add("app/_index.yaml", "version: \"1.0\"\nnamespace: app\n");
    sources.add("evil.lua", "local \u{1b}[31mred = \"\u{202e}txt\"\nlocal n = 1\n");
    sources
}

fn misspelt() -> Diagnostic {
    Diagnostic::error("unknown-field", "`User` has no field `nmae`")
        .at("app/main.lua", 49..53, "not a field of `User`")
        .also("app/main.lua", 20..24, "this is a `User`")
        .note("its fields are `name` and `age`")
        .help("write `name`")
        .fix(49..53, "name", "replace with `name`")
}

#[test]
fn a_label_shows_the_line_the_reason_and_the_fix() {
    assert_snapshot!(render(&[misspelt()], &sources(), false), @r#"
    error[unknown-field]: `User` has no field `nmae`
     --> app/main.lua:3:12
      |
    2 | local user = get_user()
      |       ---- this is a `User`
    3 | print(user.nmae)
      |            ^^^^ not a field of `User`
      |
      = note: its fields are `name` and `age`
    help: write `name`
      |
    3 - print(user.nmae)
    3 + print(user.name)
      |
    "#);
}

#[test]
fn a_diagnostic_without_a_place_renders() {
    let diagnostic = Diagnostic::warning("no-entries", "the directory holds no entries").help("add a file `_index.yaml`");
    assert_snapshot!(render(&[diagnostic], &sources(), false), @r#"
    warning[no-entries]: the directory holds no entries
     |
     = help: add a file `_index.yaml`
    "#);
}

#[test]
fn a_file_that_is_not_known_renders_with_its_name() {
    let diagnostic = Diagnostic::error("io", "cannot be read").at("gone.lua", 3..4, "here");
    assert_snapshot!(render(&[diagnostic], &sources(), false), @r#"
    error[io]: cannot be read
    --> gone.lua
    "#);
}

#[test]
fn labels_in_two_files_each_show_their_file() {
    let diagnostic = Diagnostic::error("two", "they disagree").at("app/main.lua", 6..9, "one says this").also(
        "app/_index.yaml",
        26..29,
        "the other says that",
    );
    assert_snapshot!(render(&[diagnostic], &sources(), false), @r#"
    error[two]: they disagree
     --> app/main.lua:1:7
      |
    1 | local one = 1
      |       ^^^ one says this
      |
     ::: app/_index.yaml:2:12
      |
    2 | namespace: app
      |            --- the other says that
    "#);
}

#[test]
fn escape_sequences_are_shown_and_never_obeyed() {
    let diagnostic = Diagnostic::error("evil", "bad \u{1b}]0;title\u{7} name").at("evil.lua", 11..14, "\u{1b}[2J");
    let text = render(std::slice::from_ref(&diagnostic), &sources(), false);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\u{7}'), "{text:?}");
    assert_snapshot!(text, @r#"
    error[evil]: bad ␛]0;title␇ name
     --> evil.lua:1:12
      |
    1 | local ␛[31mred = "<U+202E>txt"
      |            ^^^ ␛[2J
    "#);
    assert!(!render_short(&[diagnostic], &sources()).contains('\u{1b}'));
}

#[test]
fn an_offset_out_of_range_or_inside_a_character_is_brought_into_the_text() {
    let mut sources = Sources::new();
    sources.add("a.lua", "x = \"\u{e9}\"");
    for span in [0..usize::MAX, 6..6, 900..901] {
        let text = render(&[Diagnostic::error("code", "message").at("a.lua", span, "")], &sources, true);
        assert!(text.contains("a.lua"));
    }
}

#[test]
fn a_very_long_line_is_cut_around_the_place() {
    let mut sources = Sources::new();
    sources.add("long.lua", format!("{}HERE{}", "x".repeat(100_000), "y".repeat(100_000)));
    let text = render(&[Diagnostic::error("code", "message").at("long.lua", 100_000..100_004, "this")], &sources, false);
    assert!(text.len() < 2_000 && text.contains("HERE") && text.contains("^^^^ this"), "{text}");
}

#[test]
fn the_short_form_is_one_line_each() {
    let text = render_short(&[misspelt(), Diagnostic::info("note", "two\nlines")], &sources());
    assert_snapshot!(text, @r#"
    app/main.lua:3:12: error[unknown-field]: `User` has no field `nmae`
    info[note]: two lines
    "#);
}

#[test]
fn the_json_form_has_places_and_fix() {
    assert_snapshot!(serde_json::to_string_pretty(&to_json(&[misspelt()], &sources())).unwrap(), @r#"
    [
      {
        "code": "unknown-field",
        "level": "error",
        "message": "`User` has no field `nmae`",
        "file": "app/main.lua",
        "line": 3,
        "column": 12,
        "end_line": 3,
        "end_column": 16,
        "start": 49,
        "end": 53,
        "label": "not a field of `User`",
        "related": [
          {
            "file": "app/main.lua",
            "line": 2,
            "column": 7,
            "end_line": 2,
            "end_column": 11,
            "start": 20,
            "end": 24,
            "label": "this is a `User`"
          }
        ],
        "notes": [
          "its fields are `name` and `age`"
        ],
        "help": "write `name`",
        "fix": {
          "title": "replace with `name`",
          "start": 49,
          "end": 53,
          "replacement": "name"
        }
      }
    ]
    "#);
}

#[test]
fn positions_count_characters() {
    let mut sources = Sources::new();
    sources.add("a", "\u{e9}\u{e9}x\r\ny");
    assert_eq!(sources.position("a", 4), Some(Position { line: 1, column: 3 }));
    assert_eq!(sources.position("a", 7), Some(Position { line: 2, column: 1 }));
    assert_eq!(sources.line_span("a", 1), Some(0..5));
}
